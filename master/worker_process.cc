#include "master/worker_process.h"

#include "common/channel.h"
#include "common/log.h"
#include "common/proc_stat.h"
#include "common/sandbox_violation.h"
#include "master/log_files.h"
#include "worker/entry.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

// A descriptor that measures `process` and no other one: the number is looked at again once the file is open.
UniqueFd open_measure(const CatConfig& cat, ProcessId process) {
    const std::string path = worker::descriptor_path(cat, process.pid);
    UniqueFd fd(path.empty() ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd && process.running()) {
        const auto start_ticks = start_ticks_of(process.pid);
        if (!start_ticks || *start_ticks != process.start_ticks)
            fd.reset();
    }
    return fd;
}

}  // namespace

WorkerProcess::WorkerProcess(const WorkerContext& context, Identity identity, Callbacks callbacks)
    : context_(context), identity_(std::move(identity)), callbacks_(std::move(callbacks)),
      deadline_(context.loop, [this] { on_deadline(); }), respawn_(context.loop, [this] { spawn(); }),
      rotation_(context.loop, [this] { rotate_log(); }) {}

WorkerProcess::~WorkerProcess() {
    if (child_) {
        context_.spawner.forget(child_->pid);
        context_.spawner.kill(child_->pid);
    }
}

void WorkerProcess::adopt(std::shared_ptr<const Config> config, std::size_t index) {
    identity_.config = std::move(config);
    identity_.index = index;
}

Birth WorkerProcess::start() {
    return birth();
}

void WorkerProcess::spawn() {
    Birth next = birth();
    born(context_.spawner.spawn(next.spec, std::move(next.on_end)));
}

Birth WorkerProcess::birth() {
    ChildSpec spec;
    spec.title = fmt::format("healthcheckd: {} [{} {}]", identity_.name, to_string(identity_.cat().type),
                             identity_.program);
    const SeccompProgram* const filter =
        context_.filters.filter_of(worker::worker_type(identity_.cat().type).profile(identity_.cat()));
    spec.main = [this, filter](pid_t master) {
        return context_.life(
            {*identity_.config, identity_.cat(), identity_.name, identity_.program, master, filter});
    };
    spec.secrets = identity_.config->secrets.get();
    spec.group = static_cast<SecretStore::Group>(identity_.index);
    backoff_.on_start(Clock::now());
    replace_reason_.clear();
    unlogged_said_ = false;
    rotations_ = std::make_shared<RotationLimit>(identity_.config->log_max_bytes);
    ++spawns_;
    return {std::move(spec), [this](const ChildEnd& end) { on_end(end); },
            [this](Result<ChildProcess> child) {
                born(std::move(child));
            }};
}

void WorkerProcess::born(Result<ChildProcess> child) {
    if (!child) {
        trouble_ = "no worker could be started: " + child.error().text();
        log::error(identity_.who(), "{}", trouble_);
        respawn_.start(std::max(backoff_.on_end(Clock::now()), Backoff::kFirst));
        return;
    }
    child_ = std::move(*child);
    reader_ = std::make_unique<ReportReader>(
        context_.loop, std::move(child_->report), ReportReader::Limits{},
        [this](std::string_view line) { on_line(line); }, [this](std::string_view why) { replace(why); });
    deadline_.start(kReadyLimit);
}

bool WorkerProcess::finds_process() const {
    const CatConfig& cat = identity_.cat();
    return cat.measures_process() && !cat.whole_machine() && cat.pid_get != PidGet::supervisor;
}

Milliseconds WorkerProcess::probe_limit() const {
    const CatConfig& cat = identity_.cat();
    const bool network = cat.type == CheckType::http || cat.type == CheckType::tcp;
    return network ? cat.timeout + std::chrono::seconds(2) : Milliseconds(5'000);
}

void WorkerProcess::track(ProcessId process) {
    tracked_ = process;
    if (ready_)
        send_track();
}

void WorkerProcess::send_track() {
    const CatConfig& cat = identity_.cat();
    if (!cat.measures_process() || cat.whole_machine() || cat.pid_get != PidGet::supervisor)
        return;
    const UniqueFd fd = open_measure(cat, tracked_);
    if (tracked_.running() && !fd)
        log::debug(identity_.who(), "pid {} cannot be opened: it has ended or belongs to somebody else",
                   tracked_.pid);
    send(encode(Track{tracked_}).line(), fd.get());
}

void WorkerProcess::probe(ProbeCommand command) {
    command.seq = ++seq_;
    probing_ = true;
    probed_ = identity_.cat().whole_machine() ? ProcessId{} : command.process;
    deadline_.start(probe_limit());
    send(encode(command).line());
}

void WorkerProcess::send(std::string_view line, int attached) {
    if (const auto sent = send_packet(child_->control.get(), line, attached); !sent)
        replace("it does not take commands: " + sent.error().text());
}

void WorkerProcess::on_deadline() {
    // After a standstill of the master its timers come before what the worker has long said.
    const bool probing = probing_;
    const bool ready = ready_;
    reader_->drain();
    if (probing == probing_ && ready == ready_ && (probing_ || !ready_))
        replace(probing_ ? "it did not answer in time" : "it did not get ready in time");
}

void WorkerProcess::on_line(std::string_view text) {
    WorkerLine line;
    if (!decode(text, line)) {
        log::warning(identity_.who(), "the worker wrote what it must not: {}", printable(text, 200));
        replace("it broke the protocol");
        return;
    }
    if (const auto* report = std::get_if<Report>(&line)) {
        if (!probing_ || report->seq != seq_) {
            replace("it answered a probe that nobody asked for");
            return;
        }
        // What it says of a process can have it killed: it may name another one only where it looks for it by
        // itself (and there the action looks again).
        if (!finds_process() && report->process != probed_) {
            replace("it answered for another process than it was asked about");
            return;
        }
        probing_ = false;
        deadline_.stop();
        // smaps_rollup tells of the memory that the process had when the file was opened, and of nothing more
        // once the process has executed another program.
        if (report->verdict == Verdict::idle && tracked_.running() && report->process == tracked_)
            send_track();
        callbacks_.on_report(*report);
    } else if (const auto* ready = std::get_if<Ready>(&line)) {
        if (ready_) {
            replace("it said twice that it is ready");
            return;
        }
        ready_ = true;
        trouble_.clear();
        deadline_.stop();
        context_.layers.note(identity_.who(), ready->missing);
        if (tracked_.running())
            send_track();
    } else if (const auto* request = std::get_if<OpenRequest>(&line)) {
        on_open_request(*request);
    } else if (std::holds_alternative<RotateRequest>(line)) {
        on_rotate_request();
    } else if (const auto* unlogged = std::get_if<Unlogged>(&line)) {
        if (std::exchange(unlogged_said_, true))
            replace("it said twice that its log is not written");
        else
            log::warning(identity_.who(), "the worker's log is not written: {}", unlogged->message);
    } else if (const auto* broken = std::get_if<Broken>(&line)) {
        // With `sandbox: log` a violation is news and no end: a later one has a reason of its own.
        if (identity_.config->sandbox == SandboxLevel::log && broken->message.starts_with(kViolation))
            log::warning(identity_.who(), "{}", broken->message);
        else
            replace_reason_ = broken->message;
    }
}

void WorkerProcess::on_open_request(const OpenRequest& request) {
    const CatConfig& cat = identity_.cat();
    // Only a worker that looks for its process by itself, and only while it was asked to.
    if (!probing_ || !finds_process()) {
        replace("it asked for a process that is not its to measure");
        return;
    }
    const bool own = request.process.pid == ::getpid() || context_.spawner.is_child(request.process.pid);
    const UniqueFd fd = own ? UniqueFd() : open_measure(cat, request.process);
    send(encode(Track{fd ? request.process : ProcessId{}}).line(), fd.get());
}

// However often a worker asks: each rotation is a process, and a step closer to the end for old lines.
void WorkerProcess::on_rotate_request() {
    if (!std::exchange(rotation_due_, true))
        rotation_.start_at(std::max(Clock::now(), rotated_at_ + kRotationPause));
}

void WorkerProcess::rotate_log() {
    rotation_due_ = false;
    if (*rotating_ || !child_)
        return;
    // Where it is the logs themselves that are large, this comes once in some weeks.
    if (!rotations_->take()) {
        replace("its log was rotated as often as is granted to one worker, which may keep old logs open");
        return;
    }
    rotated_at_ = Clock::now();
    const LogFile file{worker_log_path(*identity_.config, identity_.name), control()};
    const Rotation rotation{identity_.config->log_backups, identity_.config->log_max_bytes};
    *rotating_ =
        renew_logs(context_.spawner, {file}, rotation, [rotating = rotating_, limit = rotations_](bool done) {
            *rotating = false;
            if (!done)
                limit->give_back();
        });
    if (!*rotating_)
        rotations_->give_back();
}

void WorkerProcess::replace(std::string_view why) {
    replace_reason_ = why;
    if (reader_)
        reader_->stop();
    deadline_.stop();
    if (child_)
        context_.spawner.kill(child_->pid);
}

void WorkerProcess::on_end(const ChildEnd& end) {
    reader_->drain();
    reader_.reset();
    child_.reset();
    deadline_.stop();
    ready_ = false;
    const bool probing = std::exchange(probing_, false);
    last_exit_ = end.text();
    const Milliseconds wait = backoff_.on_end(Clock::now());
    trouble_ = replace_reason_.empty() ? last_exit_ : replace_reason_;
    const std::string how = trouble_ == last_exit_ ? "" : " (" + last_exit_ + ")";
    log::warning(identity_.who(), "the worker (pid {}) was lost: {}{}; the next one starts {}", end.pid,
                 trouble_, how,
                 wait == Milliseconds(0) ? "now" : fmt::format("in {} s", wait.count() / 1000));
    respawn_.start(wait);
    callbacks_.on_lost(probing, trouble_);
}

}  // namespace healthcheckd::master
