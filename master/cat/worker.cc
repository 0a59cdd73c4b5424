#include "master/cat/worker.h"

#include "common/config/log_path.h"
#include "common/log/log.h"
#include "common/sandbox/violation.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"
#include "master/files/log_files.h"
#include "worker/entry.h"
#include "worker/look_mark.h"
#include "worker/report_rules.h"

#include <linux/sockios.h>
#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>

namespace healthcheckd::master {

Worker::Worker(const WorkerContext& context, Identity identity, Callbacks callbacks)
    : context_(context), identity_(std::move(identity)), callbacks_(std::move(callbacks)),
      corpses_(context.logs.corpses(identity_.name)), deadline_(context.loop, [this] { on_deadline(); }),
      reap_(context.loop, [this] { on_corpse(); }), respawn_(context.loop, [this] { spawn(); }),
      rotation_(context.loop, [this] { rotate_log(); }) {}

Worker::~Worker() {
    context_.logs.remove(this);
    if (child_) {
        count_corpse();
        context_.spawner.kill(child_->pid);
    }
}

void Worker::adopt(std::shared_ptr<const Config> config, std::size_t index) {
    identity_.config = std::move(config);
    identity_.index = index;
}

Birth Worker::start() {
    return too_many_hang() ? Birth() : birth();
}

bool Worker::too_many_hang() {
    if (*corpses_ < kMostCorpses)
        return false;
    trouble_ = fmt::format("{} of its workers hang in the kernel and cannot be ended", *corpses_);
    respawn_.start(Backoff::kFirst);
    return true;
}

void Worker::spawn() {
    if (too_many_hang())
        return;
    Birth next = birth();
    born(context_.spawner.spawn(next.spec, std::move(next.on_end)));
}

Birth Worker::birth() {
    // A cat that a reload has made anew goes on as the one before it.
    if (logs_ && context_.logs.doubted(worker_log_path(*identity_.config, identity_.name))) {
        logs_ = false;
        await_log();
    }
    ChildSpec spec;
    spec.title = fmt::format("healthcheckd: {} [{} {}]", identity_.name, to_string(identity_.cat().type),
                             identity_.program);
    const SeccompProgram* const filter =
        context_.filters.filter_of(identity_.cat().type->profile(identity_.cat()));
    if (finds_process()) {
        mark_ = worker::make_look_mark();
        if (mark_)
            spec.extra_fds = {mark_.get()};
    }
    spec.user = context_.spawner.uids().take();
    spec.main = [this, filter, user = *spec.user](pid_t master) {
        return context_.life({*identity_.config, identity_.cat(), identity_.name, identity_.program, master,
                              filter, logs_, mark_ ? kFirstExtraFd : -1, left_out_, user});
    };
    spec.secrets = identity_.config->secrets.get();
    spec.group = static_cast<SecretStore::Group>(identity_.index);
    backoff_.on_start(Clock::now());
    replace_reason_.clear();
    blind_.clear();
    measuring_ = false;
    unlogged_said_ = false;
    rotations_ = std::make_shared<RotationLimit>(identity_.config->log_max_bytes);
    ++spawns_;
    return {std::move(spec), [this](const ChildEnd& end) { on_end(end); },
            [this](Result<ChildProcess> child) {
                born(std::move(child));
            }};
}

void Worker::born(Result<ChildProcess> child) {
    if (!child) {
        trouble_ = "no worker could be started: " + child.error().text();
        log::error(identity_.who(), "{}", trouble_);
        respawn_.start(std::max(backoff_.on_end(Clock::now()), Backoff::kFirst));
        return;
    }
    child_ = std::move(*child);
    reader_ = std::make_unique<ReportReader>(
        context_.spawner.reports(), std::move(child_->report), ReportReader::Limits{},
        [this](std::string_view line) { on_line(line); }, [this](std::string_view why) { replace(why); });
    deadline_.start(kReadyLimit);
}

bool Worker::finds_process() const {
    const CatConfig& cat = identity_.cat();
    return cat.measures_one_process() && cat.pid_get != PidGet::supervisor;
}

Milliseconds Worker::probe_limit() const {
    const CatConfig& cat = identity_.cat();
    return cat.type->asks_server ? cat.timeout + std::chrono::seconds(2) : Milliseconds(5'000);
}

void Worker::track(ProcessId process) {
    tracked_ = process;
    if (ready_)
        send_track();
}

// The process reader opens the file: opening it may hang.
void Worker::send_track() {
    const CatConfig& cat = identity_.cat();
    if (!cat.measures_one_process() || cat.pid_get != PidGet::supervisor)
        return;
    blind_.clear();
    measuring_ = tracked_.running() && tracked_.start_ticks != 0;
    if (measuring_)
        measure(tracked_);
    else
        send(encode(Track{tracked_}).line());
}

void Worker::look_again() {
    if (ready_ && !measuring_)
        send_track();
}

void Worker::measure(ProcessId process) {
    context_.processes.measure(
        process, identity_.cat().measured_file(),
        [this, process, birth = spawns_, alive = std::weak_ptr(alive_)](Result<UniqueFd> file) {
            if (!alive.expired() && birth == spawns_ && ready_)
                on_measure(process, std::move(file));
        });
}

void Worker::on_measure(ProcessId process, Result<UniqueFd> file) {
    if (finds_process()) {
        // Without the file of a process that is there nothing is known of it; one that has ended is idle.
        const bool ended = !file && (file.error().code == ESRCH || file.error().code == ENOENT);
        if (!file && !ended)
            log::debug(identity_.who(), "process {} cannot be measured: {}", process.pid,
                       file.error().text());
        if (probing_)
            send(encode(Track{ended ? ProcessId{} : process}).line(), file ? file->get() : -1);
        return;
    }
    if (process != tracked_)
        return;  // another one is being asked for
    measuring_ = false;
    if (!file) {
        blind_ = "its process cannot be measured: " + file.error().text();
        log::debug(identity_.who(), "{}", blind_);
    }
    send(encode(Track{process}).line(), file ? file->get() : -1);
}

void Worker::probe(ProbeCommand command) {
    command.seq = ++seq_;
    probing_ = true;
    probed_ = command;
    if (identity_.cat().whole_machine())
        probed_.process = {};
    deadline_.start(probe_limit());
    send(encode(command).line());
}

void Worker::send(std::string_view line, int attached) {
    if (const auto sent = send_packet(child_->control.get(), line, attached); !sent)
        replace("it does not take commands: " + sent.error().text());
}

void Worker::on_deadline() {
    // After a standstill of the master its timers come before what the worker has long said.
    const bool probing = probing_;
    const bool ready = ready_;
    reader_->drain();
    if (probing != probing_ || ready != ready_ || (!probing_ && ready_))
        return;
    // A worker that has not even taken the probe hangs in what it did before: it wrote its log. One that does
    // not get ready may hang in opening it.
    if (!ready_ || !took_command())
        doubt_log();
    else
        note_hanging_look();
    replace(probing_ ? "it did not answer in time" : "it did not get ready in time");
}

// SIOCOUTQ is 0 once the other end has read everything (unix(7)).
bool Worker::took_command() const {
    int unread = 0;
    return ::ioctl(child_->control.get(), SIOCOUTQ, &unread) != 0 || unread == 0;
}

void Worker::note_hanging_look() {
    const pid_t pid = worker::read_look_mark(mark_);
    if (pid == 0)
        return;
    if (left_out_.size() >= kMostLeftOut)
        left_out_.clear();
    const bool again = left_out_.contains(pid);
    rest_ = again ? std::min(kLongestRest, rest_ * 2) : kFirstRest;
    left_out_[pid] = Clock::now() + rest_;
    log::warning(identity_.who(), "looking at process {} in /proc hangs; it is left out for {} s", pid,
                 rest_.count() / 1000);
}

void Worker::on_line(std::string_view text) {
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
        if (!finds_process() && report->process != probed_.process) {
            replace("it answered for another process than it was asked about");
            return;
        }
        if (const std::string_view why = worker::objection_to(*report, identity_.cat(), probed_);
            !why.empty()) {
            log::warning(identity_.who(), "the worker wrote what it must not: {}: {}", why,
                         printable(text, 200));
            replace(why);
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

void Worker::on_open_request(const OpenRequest& request) {
    // Only a worker that looks for its process by itself, and only while it was asked to.
    if (!probing_ || !finds_process()) {
        replace("it asked for a process that is not its to measure");
        return;
    }
    if (request.process.pid == ::getpid() || context_.spawner.is_child(request.process.pid))
        send(encode(Track{}).line());
    else
        measure(request.process);
}

void Worker::replace(std::string_view why) {
    replace_reason_ = why;
    if (reader_)
        reader_->stop();
    deadline_.stop();
    if (child_) {
        context_.spawner.kill(child_->pid);
        reap_.start(kReapLimit);
    }
}

void Worker::on_end(const ChildEnd& end) {
    reader_->drain();
    lost(end.pid, end.text());
}

// What hangs in the kernel gets its SIGKILL when it comes back from there.
void Worker::on_corpse() {
    if (!child_)
        return;
    const pid_t pid = child_->pid;
    count_corpse();
    lost(pid, "SIGKILL does not end it: it hangs in the kernel");
}

void Worker::count_corpse() {
    ++*corpses_;
    context_.spawner.on_end(child_->pid, [corpses = corpses_, logs = std::weak_ptr(context_.logs.alive()),
                                          recovery = &context_.logs](const ChildEnd&) {
        --*corpses;
        if (!logs.expired())
            recovery->look_soon();
    });
}

void Worker::lost(pid_t pid, const std::string& exit) {
    reader_.reset();
    child_.reset();
    deadline_.stop();
    reap_.stop();
    ready_ = false;
    const bool probing = std::exchange(probing_, false);
    last_exit_ = exit;
    const Milliseconds wait = backoff_.on_end(Clock::now());
    trouble_ = replace_reason_.empty() ? last_exit_ : replace_reason_;
    const std::string how = trouble_ == last_exit_ ? "" : " (" + last_exit_ + ")";
    log::warning(identity_.who(), "the worker (pid {}) was lost: {}{}; the next one starts {}", pid, trouble_,
                 how, wait == Milliseconds(0) ? "now" : fmt::format("in {} s", wait.count() / 1000));
    respawn_.start(wait);
    if (!logs_)
        context_.logs.look_soon();
    callbacks_.on_lost(probing, trouble_);
}

}  // namespace healthcheckd::master
