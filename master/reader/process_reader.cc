#include "master/reader/process_reader.h"

#include "common/log/log.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_reader.h"
#include "master/reader/process_reader_child.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

constexpr char kWho[] = "processes";

}  // namespace

ProcessReader::ProcessReader(Loop& loop, Spawner& spawner, LayerNotes& layers, SandboxLevel level)
    : ProcessReader(loop, spawner, layers, level, run_process_reader) {}

ProcessReader::ProcessReader(Loop& loop, Spawner& spawner, LayerNotes& layers, SandboxLevel level, Main main)
    : loop_(loop), spawner_(spawner), level_(level), main_(std::move(main)),
      pump_timer_(loop, [this] { pump(); }),
      child_(loop, spawner, layers,
             {.who = kWho, .ready_limit = kReadyLimit, .reap_limit = kAnswerLimit, .restarts = false},
             {.spec = [this] { return spec(); },
              .on_line = [this](std::string_view line) { return on_line(line); },
              .on_failed_start =
                  [this](const Error& error) {
                      log::warning(kWho, "nobody can look at processes: {}", error.text());
                      fail_all(error);
                  },
              .on_late = [this] { return on_late(); },
              .on_loss = [this](const ChildKeeper::Loss& loss) { on_loss(loss); },
              .on_gone =
                  [this](pid_t) {
                      if (answers_)  // answers that it had sent before
                          on_answer();
                      answers_.reset();
                  },
              .on_rested =
                  [this] {
                      pump();
                  }}) {
    // The end of one that hung is the news that was waited for.
    child_.count_corpses(child_.corpses(), [this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired() && crowded_ > Milliseconds(0))
            child_.wake();
    });
}

ProcessReader::~ProcessReader() {
    answers_.reset();
}

void ProcessReader::identify(pid_t pid, OnProcess done) {
    Question question;
    question.process.pid = pid;
    question.on_process = std::move(done);
    add(std::move(question));
}

void ProcessReader::measure(ProcessId process, std::string file, OnDescriptor done) {
    Question question;
    question.process = process;
    question.file = std::move(file);
    question.on_descriptor = std::move(done);
    add(std::move(question));
}

void ProcessReader::holds(pid_t pid, std::uint16_t port, OnHeld done) {
    Question question;
    question.process.pid = pid;
    question.port = port;
    question.on_held = std::move(done);
    add(std::move(question));
}

void ProcessReader::use(SandboxLevel level) {
    level_ = level;
    if (child_.pid() != 0)
        lose_child("it is to be confined in another way");
}

// Never calls back before it returns: the caller may not be ready.
void ProcessReader::add(Question question) {
    question.seq = ++seq_;
    waiting_.push_back(std::move(question));
    pump_timer_.start(Milliseconds(0));
}

void ProcessReader::fail(const Question& question, Error error) {
    if (question.on_process)
        question.on_process(std::move(error));
    else if (question.on_descriptor)
        question.on_descriptor(std::move(error));
    else
        question.on_held(std::move(error));
}

void ProcessReader::fail_all(const Error& error) {
    std::deque<Question> all = std::exchange(asked_, {});
    for (Question& question : std::exchange(waiting_, {}))
        all.push_back(std::move(question));
    for (const Question& question : all)
        fail(question, error);
}

// Returns whether `pid` is left out at present.
bool ProcessReader::rests(pid_t pid) {
    const auto found = left_out_.find(pid);
    return found != left_out_.end() && Clock::now() < found->second.until;
}

void ProcessReader::pump() {
    if (waiting_.empty())
        return;
    if (waiting_.size() > kMostWaiting || child_.resting())
        return fail_all(Error{"there is no process that could look at it", EAGAIN});
    start();
    while (child_.ready() && !waiting_.empty() && asked_.size() < kMostAsked) {
        Question question = std::move(waiting_.front());
        waiting_.pop_front();
        if (rests(question.process.pid)) {
            hangs(question);
            continue;
        }
        if (const auto sent = send(question); !sent) {
            on_unsent(question, sent.error());
            continue;
        }
        asked_.push_back(std::move(question));
        if (asked_.size() == 1)
            child_.set_deadline(answer_limit());
    }
}

Result<void> ProcessReader::send(const Question& question) {
    const pid_t pid = question.process.pid;
    LineWriter line = question.on_process ? encode(Identify{question.seq, pid})
                      : question.on_descriptor
                          ? encode(Measure{question.seq, question.process, question.file})
                          : encode(Holds{question.seq, pid, question.port});
    return child_.send(line.line());
}

// The failure says nothing about the process.
void ProcessReader::on_unsent(const Question& question, const Error& error) {
    const std::string why = "the process reader takes no question: " + error.text();
    if (error.code == EPIPE || error.code == ECONNRESET || error.code == ENOTCONN)
        child_.replace(why);
    fail(question, Error{why, EAGAIN});
}

ChildSpec ProcessReader::spec() {
    ChildSpec spec(children::kProcessReader);
    spec.user = spawner_.uids().take();
    spec.main = [main = main_, level = level_, user = spec.user](pid_t master) {
        return main(level, *user, master);
    };
    return spec;
}

void ProcessReader::start() {
    if (child_.pid() != 0)
        return;
    if (*child_.corpses() >= kMostCorpses) {
        if (crowded_ == Milliseconds(0))
            log::warning(kWho, "nobody can look at processes: too many process readers hang in the kernel");
        crowded_ = std::clamp(crowded_ * 2, Backoff::kFirst, Backoff::kMost);
        child_.rest(crowded_);
        return fail_all(Error{"too many process readers hang in the kernel"});
    }
    crowded_ = Milliseconds(0);
    child_.start();
    if (child_.pid() != 0)
        answers_ = std::make_unique<FdWatch>(loop_, child_.control(), FdWatch::For::reading,
                                             [this] { on_answer(); });
}

bool ProcessReader::on_line(std::string_view text) {
    ChildLine line;
    if (!decode(text, line))
        return false;
    if (const auto* broken = std::get_if<Broken>(&line)) {
        child_.take(*broken);
    } else {
        pump_timer_.start(Milliseconds(0));
        child_.take(std::get<Ready>(line));
    }
    return true;
}

void ProcessReader::on_answer() {
    for (std::size_t i = 0; i < kMostAsked && answers_; ++i) {
        auto packet = receive_packet_now(child_.control());
        if (!packet && packet.error().code == EAGAIN)
            break;
        if (!packet || !*packet) {  // its end is handled when it is reaped
            answers_->pause();
            break;
        }
        if (asked_.empty()) {
            answers_->pause();
            child_.replace("it answered what nobody asked");
            break;
        }
        take(std::move(**packet));
    }
    if (asked_.empty() && child_.ready())
        child_.clear_deadline();
    pump_timer_.start(Milliseconds(0));
}

void ProcessReader::take(Packet packet) {
    ReaderLine line;
    const bool known = decode(packet.line, line);
    const std::uint64_t seq = std::visit([](const auto& m) { return m.seq; }, line);
    Question question = std::move(asked_.front());
    asked_.pop_front();
    const auto* process = std::get_if<ProcessLine>(&line);
    const auto* held = std::get_if<Held>(&line);
    const auto* refused = std::get_if<Refused>(&line);
    const bool measured = std::holds_alternative<Measured>(line) && packet.attached;
    const bool fits = refused != nullptr || (process != nullptr && question.on_process) ||
                      (measured && question.on_descriptor) || (held != nullptr && question.on_held);
    if (!known || seq != question.seq || !fits) {
        child_.replace("it broke the protocol");
        return fail(question, Error{"the process reader is not understood", EPROTO});
    }
    child_.set_deadline(answer_limit());
    left_out_.erase(question.process.pid);
    if (refused != nullptr)
        fail(question, Error{refused->message, refused->error});
    else if (process != nullptr)
        question.on_process(Process{process->start_ticks, process->ppid, process->inner});
    else if (held != nullptr)
        question.on_held(held->yes);
    else
        question.on_descriptor(std::move(packet.attached));
}

void ProcessReader::hangs(const Question& question) {
    fail(question, Error{fmt::format("looking at process {} in /proc hangs (it executes a program and cannot "
                                     "close a file, or its file system does not answer)",
                                     question.process.pid),
                         ETIMEDOUT});
}

// Answers with descriptors come as packets, which ChildKeeper does not see.
void ProcessReader::on_late() {
    const std::uint64_t front = asked_.empty() ? 0 : asked_.front().seq;
    on_answer();
    if (!answers_ || (asked_.empty() ? 0 : asked_.front().seq) != front)
        return;
    if (!child_.ready())
        return lose_child("it did not get ready in time");
    if (asked_.empty())
        return;
    Question question = std::move(asked_.front());
    asked_.pop_front();
    if (left_out_.size() >= kMostLeftOut)
        left_out_.clear();
    Rest& rest = left_out_[question.process.pid];
    rest.length = rest.length == Milliseconds(0) ? kFirstRest : std::min(kLongestRest, rest.length * 2);
    rest.until = Clock::now() + rest.length;
    // With many hanging processes, a log line for each would hide all other lines.
    const bool many = answer_limit() == kShortLimit;
    hung_at_.push_back(Clock::now());
    if (hung_at_.size() > kManyHang)
        hung_at_.pop_front();
    lose_child(fmt::format("it hangs at process {}, which is left out for {} s{}", question.process.pid,
                           rest.length.count() / 1000,
                           answer_limit() == kShortLimit && !many ? "; more of them are not named" : ""),
               many ? log::Level::debug : log::Level::warning);
    hangs(question);
}

Milliseconds ProcessReader::answer_limit() const {
    const bool many = hung_at_.size() == kManyHang && Clock::now() - hung_at_.front() < kHangSpan;
    return many ? kShortLimit : kAnswerLimit;
}

// Starts the next child at once: a process that hangs in the kernel may never end.
void ProcessReader::lose_child(std::string_view why, log::Level level) {
    log::write(level, kWho, fmt::format("the process reader is replaced: {}", why));
    child_.leave();
    waiting_.insert(waiting_.begin(), std::make_move_iterator(asked_.begin()),
                    std::make_move_iterator(asked_.end()));
    asked_.clear();
    pump_timer_.start(Milliseconds(0));
}

void ProcessReader::on_loss(const ChildKeeper::Loss& loss) {
    log::warning(kWho, "the process reader ended: {}", loss.why);
    fail_all(Error{"the process reader ended: " + loss.why, EAGAIN});
}

}  // namespace healthcheckd::master
