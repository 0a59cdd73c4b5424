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
      rotation_(context.loop, [this] { rotate_log(); }), rotating_(context.loop, context.spawner),
      child_(context.loop, context.spawner, context.layers,
             {.who = identity_.who(), .ready_limit = kReadyLimit, .reap_limit = kReapLimit},
             {.spec = [this] { return spec(); },
              .put_off = [this] { return too_many_hang(); },
              .on_line = [this](std::string_view line) { return on_line(line); },
              .on_failed_start = [this](const Error& error) { on_failed_start(error); },
              .on_late = [this] { return on_late(); },
              .on_loss =
                  [this](const ChildKeeper::Loss& loss) {
                      on_loss(loss);
                  }}) {
    child_.count_corpses(context.logs.corpses(identity_.name),
                         [logs = std::weak_ptr(context.logs.alive()), recovery = &context.logs] {
                             if (!logs.expired())
                                 recovery->look_soon();
                         });
}

Worker::~Worker() {
    context_.logs.remove(this);
}

void Worker::adopt(std::shared_ptr<const Config> config, std::size_t index) {
    identity_.config = std::move(config);
    identity_.index = index;
}

SpawnRequest Worker::start() {
    if (const auto wait = too_many_hang()) {
        child_.rest(*wait);
        return {};
    }
    return child_.birth();
}

std::optional<Milliseconds> Worker::too_many_hang() {
    if (*child_.corpses() < kMostCorpses)
        return std::nullopt;
    trouble_ = fmt::format("{} of its workers hang in the kernel and cannot be ended", *child_.corpses());
    return Backoff::kFirst;
}

ChildSpec Worker::spec() {
    // A cat that a reload has recreated continues without a log, as its predecessor did.
    if (logs_ && context_.logs.doubted(worker_log_path(*identity_.config, identity_.name))) {
        logs_ = false;
        await_log();
    }
    ChildSpec spec(children::kWorker,
                   fmt::format("{} [{} {}]", identity_.name, identity_.cat().type->name, identity_.program));
    if (finds_process()) {
        mark_ = worker::make_look_mark();
        if (mark_)
            spec.extra_fds = {mark_.get()};
    }
    spec.user = context_.spawner.uids().take();
    const bool logs = logs_ && !identity_.config->log_dir.empty();  // without a folder: healthcheckd -o
    spec.birth = Birth{identity_.config, identity_.index, identity_.name, identity_.program, logs, left_out_};
    blind_.clear();
    measuring_ = false;
    unlogged_said_ = false;
    rotations_ = std::make_shared<RotationLimit>(identity_.config->log_max_bytes);
    return spec;
}

void Worker::on_failed_start(const Error& error) {
    trouble_ = "no worker could be started: " + error.text();
    log::error(identity_.who(), "{}", trouble_);
}

bool Worker::finds_process() const {
    const CatConfig& cat = identity_.cat();
    return cat.measures_one_process() && cat.pid_get != PidGet::supervisor;
}

Milliseconds Worker::probe_limit() const {
    const CatConfig& cat = identity_.cat();
    return cat.type->asks_server() ? cat.timeout + std::chrono::seconds(2) : Milliseconds(5'000);
}

void Worker::track(ProcessId process) {
    tracked_ = process;
    if (child_.ready())
        send_track();
}

// The process reader opens the file, since that may hang.
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
    if (ready())
        send_track();
}

void Worker::measure(ProcessId process) {
    context_.processes.measure(
        process, identity_.cat().measured_file(),
        [this, process, birth = child_.starts(), alive = std::weak_ptr(alive_)](Result<UniqueFd> file) {
            if (!alive.expired() && birth == child_.starts() && child_.ready())
                on_measure(process, std::move(file));
        });
}

void Worker::on_measure(ProcessId process, Result<UniqueFd> file) {
    if (finds_process()) {
        // If the file cannot be opened, the process cannot be measured; a process that has ended is idle.
        const bool ended = !file && (file.error().code == ESRCH || file.error().code == ENOENT);
        if (!file && !ended)
            log::debug(identity_.who(), "process {} cannot be measured: {}", process.pid,
                       file.error().text());
        if (probing_)
            send(encode(Track{ended ? ProcessId{} : process}).line(), file ? file->get() : -1);
        return;
    }
    if (process != tracked_)
        return;  // another file has been requested
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
    child_.set_deadline(probe_limit());
    took_command_ = false;
    write(encode(command).line());
}

void Worker::send(std::string_view line, int attached) {
    // What follows a probe command stays unread until the probe is over.
    took_command_ = took_command_ || (probing_ && nothing_unread());
    write(line, attached);
}

void Worker::write(std::string_view line, int attached) {
    if (const auto sent = child_.send(line, attached); !sent)
        child_.replace("it does not take commands: " + sent.error().text());
}

void Worker::on_late() {
    if (!probing_ && child_.ready())
        return;
    // A worker that has not read the probe command hangs in what it did before: writing its log. One that
    // does not get ready may hang in opening it.
    std::string why = probing_ ? "it did not answer in time" : "it did not get ready in time";
    if (!child_.ready() || !(took_command_ || nothing_unread())) {
        doubt_log();
    } else {
        note_hanging_look();
        why += hanging_measure();
    }
    child_.replace(why);
}

// Returns what has probably kept a worker that has read its command. Reading statm waits for nothing.
std::string Worker::hanging_measure() const {
    const CatConfig& cat = identity_.cat();
    const std::string file = cat.measured_file();
    if (!cat.measures_one_process() || finds_process() || !probed_.process.running() || file == "statm")
        return "";
    return fmt::format(": reading /proc/{}/{} seems to hang", probed_.process.pid, file);
}

// SIOCOUTQ is 0 when the peer has read everything (unix(7)).
bool Worker::nothing_unread() const {
    int unread = 0;
    return ::ioctl(child_.control(), SIOCOUTQ, &unread) != 0 || unread == 0;
}

void Worker::note_hanging_look() {
    const pid_t pid = worker::read_look_mark(mark_);
    if (pid == 0)
        return;
    if (left_out_.size() >= kMostLeftOut)
        left_out_.clear();
    const auto now = Clock::now();
    const auto before = left_out_.find(pid);
    const bool again = before != left_out_.end() && now < before->second.until + kLongestRest;
    rest_ = again ? std::min(kLongestRest, rest_ * 2) : kFirstRest;
    left_out_[pid] = {now + rest_, pid == found_.pid};
    log::warning(identity_.who(), "looking at process {} in /proc seems to hang; it is left out for {} s",
                 pid, rest_.count() / 1000);
}

bool Worker::on_line(std::string_view text) {
    WorkerLine line;
    if (!decode(text, line)) {
        log::warning(identity_.who(), "the worker wrote what it must not: {}", printable(text, 200));
        return false;
    }
    if (const auto* report = std::get_if<Report>(&line)) {
        on_report(*report, text);
    } else if (const auto* ready = std::get_if<Ready>(&line)) {
        child_.take(*ready);
        if (!child_.ready())
            return true;
        trouble_.clear();
        if (tracked_.running())
            send_track();
    } else if (const auto* request = std::get_if<OpenRequest>(&line)) {
        on_open_request(*request);
    } else if (std::holds_alternative<RotateRequest>(line)) {
        on_rotate_request();
    } else if (const auto* unlogged = std::get_if<Unlogged>(&line)) {
        if (std::exchange(unlogged_said_, true))
            child_.replace("it said twice that its log is not written");
        else
            log::warning(identity_.who(), "the worker's log is not written: {}", unlogged->message);
    } else if (const auto* broken = std::get_if<Broken>(&line)) {
        // With `sandbox: log`, a violation does not end the worker: a later end has another reason.
        if (identity_.config->sandbox == SandboxLevel::log && broken->message.starts_with(kViolation))
            log::warning(identity_.who(), "{}", broken->message);
        else
            child_.take(*broken);
    }
    return true;
}

void Worker::on_report(const Report& report, std::string_view text) {
    if (!probing_ || report.seq != seq_)
        return child_.replace("it answered a probe that nobody asked for");
    // The report can cause the process to be killed: a worker may name another process only where it finds
    // the process itself (and there the action searches again).
    if (!finds_process() && report.process != probed_.process)
        return child_.replace("it answered for another process than it was asked about");
    if (const std::string_view why = worker::objection_to(report, identity_.cat(), probed_); !why.empty()) {
        log::warning(identity_.who(), "the worker wrote what it must not: {}: {}", why, printable(text, 200));
        return child_.replace(why);
    }
    probing_ = false;
    if (finds_process() && report.process.running())
        found_ = report.process;
    child_.clear_deadline();
    // smaps_rollup describes the memory that the process had when the file was opened, and nothing once the
    // process has executed another program.
    if (report.verdict == Verdict::idle && tracked_.running() && report.process == tracked_)
        send_track();
    callbacks_.on_report(report);
}

void Worker::on_open_request(const OpenRequest& request) {
    // Only for a worker that finds its process itself, and only during a probe.
    if (!probing_ || !finds_process()) {
        child_.replace("it asked for a process that is not its to measure");
        return;
    }
    if (request.process.pid == ::getpid() || context_.spawner.is_child(request.process.pid))
        return send(encode(Track{}).line());
    found_ = request.process;
    measure(found_);
}

void Worker::on_loss(const ChildKeeper::Loss& loss) {
    const bool probing = std::exchange(probing_, false);
    last_exit_ = loss.exit;
    trouble_ = loss.why;
    const std::string how = trouble_ == last_exit_ ? "" : " (" + last_exit_ + ")";
    log::warning(identity_.who(), "the worker (pid {}) was lost: {}{}; the next one starts {}", loss.pid,
                 trouble_, how,
                 loss.wait == Milliseconds(0) ? "now" : fmt::format("in {} s", loss.wait.count() / 1000));
    if (!logs_)
        context_.logs.look_soon();
    callbacks_.on_lost(probing, trouble_);
}

}  // namespace healthcheckd::master
