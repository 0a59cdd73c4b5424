#include "master/action/action_child.h"

#include "common/text/terminal.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_task.h"
#include "common/wire/say.h"
#include "master/action/cgroup.h"
#include "master/action/command.h"
#include "master/action/finish.h"
#include "master/action/run.h"
#include "master/files/disk_work.h"
#include "master/notice/notice_child.h"
#include "master/notice/spool.h"
#include "master/supervisord/link_client.h"

#include <optional>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

// Time for the helper that reports a command's result, after the command's leftovers have ended.
constexpr std::chrono::seconds kTellLimit{15};

// Time for the master to confirm that nobody else is working on the program of an unfinished restart.
constexpr std::chrono::milliseconds kClaimLimit{10'000};

// Splits output into pieces that fit a line even when every byte is percent-encoded.
void say_output(std::string_view output) {
    constexpr std::size_t kPiece = kMaxLine / 3 - 16;
    for (std::size_t at = 0; at < output.size(); at += kPiece)
        say(Output{std::string(output.substr(at, kPiece))});
}

// How long a hanging disk may delay the action, which then continues without the write.
constexpr std::chrono::milliseconds kPendingLimit{1'000};
// For all channels; after it the master has the notices written.
constexpr std::chrono::milliseconds kNoticesLimit{5'000};

}  // namespace

std::string measured_pid(const ActionRequest& request) {
    return request.evidence.process.running() ? fmt::format(" (pid {})", request.evidence.process.pid) : "";
}

int run_action(Incident incident, int link_fd, int places_fd) {
    const ActionRequest& request = incident.request;
    const ActionType& action = *incident.action;
    const DiskWork disk(places_fd);
    std::optional<LinkClient> link;
    if (link_fd >= 0)
        link.emplace(UniqueFd(link_fd));
    ActionRun run{request, link ? &*link : nullptr, disk,
                  [](std::chrono::milliseconds limit, std::string_view what) {
                      say(Stage{static_cast<std::uint64_t>(limit.count()), std::string(what)});
                  }};
    // Reported before anything that may block on a disk or on supervisord.
    run.stage(kPendingLimit + kLogTailLimit + kLogFileLimit, kFirstStage);
    const auto began = std::chrono::steady_clock::now();
    const bool tells = !request.channels.empty();
    // Best effort: only the notice at the end must not be lost.
    if (tells)
        if (const auto tried =
                disk.run(kPendingLimit, [&] { return Spool(request.state_dir).put_pending(incident); });
            !tried)
            run.unwritten = tried.error();
    LinkClient* asked = run.link;  // asked for the log; not again after a call without an answer
    LogTail log;
    const bool tail_first = tells && action.tail_first && !request.cat.dry_run;
    if (tail_first)
        log = log_tail(incident, asked, disk);
    // A dry run differs only here.
    if (request.cat.dry_run)
        incident.result = {.ok = true, .message = "dry run, nothing was done: would " + action.plan(request)};
    else
        incident.result = action.run(run);
    if (run.unwritten)
        incident.result.message += " (without a record on disk: " + run.unwritten->text() + ")";
    incident.result.output = without_terminal_sequences(incident.result.output);
    say_output(incident.result.output);
    say(Done{incident.result.ok, incident.result.message, incident.result.left_stopped || run.remains});
    if (tells) {
        const auto tell = [&] {
            if (!tail_first)
                log = log_tail(incident, asked, disk);
            (void)disk.run(kNoticesLimit, [&] {
                (void)spool_notices(incident, log, 0);
                return Result<void>();
            });
        };
        // In a helper if there is a guard: this process must always be ready to end the command.
        if (!run.guard || !run.guard->help(tell))
            tell();
    }
    if (run.guard) {
        sweep_leftovers(began + run.command_limit, *run.guard);
        run.guard->wait_for_helpers(std::chrono::steady_clock::now() + kTellLimit);
    }
    return incident.result.ok ? 0 : 1;
}

int run_finish(const std::string& state_dir, const std::set<std::string>& busy, int link_fd, int places_fd) {
    LinkClient link{UniqueFd(link_fd)};
    const FinishReport report{
        .say = [](const std::string& sentence) { say(Output{sentence}); },
        .claim =
            [](const std::string& program) {
                say(Stage{0, program});
                const auto packet = receive_packet(kControlFd, kClaimLimit);
                ClaimAnswer answer;
                return packet && *packet && decode((*packet)->line, answer) &&
                       std::holds_alternative<Granted>(answer);
            },
        .release =
            [](const std::string&) {
                say(Stage{0, ""});
            },
    };
    const DiskWork disk(places_fd);
    bool all = finish_restarts(state_dir, busy, link, disk, report);
    // A write that still waits for the disk may create a record later, which must be examined again.
    all = all && !disk.somebody_waits();
    say(Done{all, all ? "" : "some restarts are still unfinished", !all});
    return 0;
}

int run_old_commands() {
    CommandCgroup::remove_stale();
    return 0;
}

}  // namespace healthcheckd::master
