#include "worker/loop.h"

#include "common/text/printable.h"
#include "worker/probe/tracked_file.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <stdexcept>

namespace healthcheckd::worker {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kNoLimit = -1ms;
constexpr std::chrono::milliseconds kFetchLimit = 1s;
constexpr int kMaxOtherPackets = 100;  // received while waiting for an answer

}  // namespace

WorkerLoop::WorkerLoop(const CatConfig& cat, Probe& probe, PidFinder* finder, Reporter& reporter,
                       WorkerLog& log)
    : cat_(cat), probe_(probe), finder_(finder), reporter_(reporter), log_(log) {}

void WorkerLoop::run() {
    tell_log_failure();
    while (!master_gone_ && !reporter_.closed()) {
        Command command;
        UniqueFd attached;
        if (!next(command, attached, kNoLimit))
            continue;
        if (const auto* track = std::get_if<Track>(&command)) {
            adopt(*track, std::move(attached));
        } else if (const auto* probe = std::get_if<ProbeCommand>(&command)) {
            answer(*probe);
        }
    }
}

bool WorkerLoop::next(Command& command, UniqueFd& attached, std::chrono::milliseconds limit) {
    auto packet = receive_packet(kControlFd, limit);
    if (!packet && packet.error().code == ETIMEDOUT)
        return false;
    if (!packet && packet.error().code != ECONNRESET)
        throw std::runtime_error("control channel: " + packet.error().text());
    if (!packet || !*packet) {
        master_gone_ = true;
        return false;
    }
    if (!decode((*packet)->line, command))
        throw std::runtime_error("control channel: not understood: " + printable((*packet)->line, 200));
    if (std::holds_alternative<NewLog>(command)) {
        log_.replace(std::move((*packet)->attached));
        return true;
    }
    attached = std::move((*packet)->attached);
    return true;
}

void WorkerLoop::answer(const ProbeCommand& command) {
    const auto begin = Clock::now();
    ProbeCommand about = command;
    ProbeResult result = check(about);
    Report report;
    report.verdict = result.verdict;
    report.seq = command.seq;
    report.value = result.value;
    report.limit = result.limit;
    report.unit = result.unit;
    report.took_us = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count());
    if (!cat_.whole_machine())
        report.process = about.process;
    report.weight = result.weight;
    report.message = std::move(result.message);
    reporter_.send(report);
    note(report);
}

ProbeResult WorkerLoop::check(ProbeCommand& command) {
    if (finder_ != nullptr)
        return check_found(command);
    // A restart cat judges itself what it means that the program is not running.
    const bool must_run = !cat_.whole_machine() && !cat_.type->counts_restarts;
    if (must_run && !command.process.running()) {
        ProbeResult idle;
        idle.verdict = Verdict::idle;
        idle.message = fmt::format("not running ({})", command.state);
        return idle;
    }
    return probe_.probe(command);
}

ProbeResult WorkerLoop::check_found(ProbeCommand& command) {
    finder_->set_program_user(
        command.user == kNoUser ? std::nullopt : std::optional<uid_t>(static_cast<uid_t>(command.user)));
    FoundProcess found = finder_->find();
    command.process = found.process;
    if (!found.process.running()) {
        tracked_ = {};
        probe_.track({}, {});
        ProbeResult none;
        none.verdict = found.verdict;
        none.message = std::move(found.why);
        return none;
    }
    if (found.process != tracked_ && !fetch(found.process))
        return not_measured(
            fmt::format("process {} cannot be measured: its file in /proc could not be opened within 1 s",
                        found.process.pid));
    if (!tracked_.running())
        return process_ended();
    const PidFinder::Look look(*finder_, found.process.pid);
    ProbeResult result = probe_.probe(command);
    // The process has ended, or has executed another program: then the next probe needs a new descriptor.
    if (result.verdict == Verdict::idle)
        tracked_ = {};
    return result;
}

bool WorkerLoop::fetch(ProcessId process) {
    reporter_.send(OpenRequest{process});
    const auto deadline = Clock::now() + kFetchLimit;
    for (int i = 0; i < kMaxOtherPackets && !master_gone_; ++i) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        Command command;
        UniqueFd attached;
        if (!next(command, attached, std::max(left, 0ms)))
            return false;
        const auto* track = std::get_if<Track>(&command);
        if (track == nullptr)
            continue;
        // A late answer to an earlier request is about another process.
        if (track->process != process && track->process.running())
            continue;
        return adopt(*track, std::move(attached));
    }
    return false;
}

bool WorkerLoop::adopt(const Track& track, UniqueFd attached) {
    const bool without = track.process.running() && !attached;
    probe_.track(track.process, std::move(attached));
    // Without a descriptor the next probe requests it again, even if this answer came too late for its probe.
    tracked_ = without ? ProcessId{} : track.process;
    return !without;
}

void WorkerLoop::note(const Report& report) {
    log_.note(report);
    if (log_.wants_rotation())
        reporter_.send(RotateRequest{});
    tell_log_failure();
}

void WorkerLoop::tell_log_failure() {
    if (auto failure = log_.take_failure())
        reporter_.send(Unlogged{std::move(*failure)});
}

}  // namespace healthcheckd::worker
