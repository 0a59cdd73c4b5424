#include "master/action/action_child.h"

#include "common/text/terminal.h"
#include "common/wire/channel.h"
#include "master/action/command.h"
#include "master/action/finish.h"
#include "master/action/plan.h"
#include "master/action/restart_record.h"
#include "master/files/disk_work.h"
#include "master/notice/notice_child.h"
#include "master/notice/spool.h"
#include "master/supervisord/link_client.h"

#include <optional>
#include <poll.h>

namespace healthcheckd::master {

namespace {

// How long the helper that reports a command's result may take after the command's leftovers have ended.
constexpr std::chrono::seconds kTellLimit{15};

// For the master's word that nobody else works at the program of an unfinished restart.
constexpr std::chrono::milliseconds kClaimLimit{10'000};

template <class Message> void say(const Message& message) {
    (void)write_line(kReportFd, encode(message).line());
}

// Output goes in pieces that fit a line even when every byte is percent-encoded.
void say_output(std::string_view output) {
    constexpr std::size_t kPiece = kMaxLine / 3 - 16;
    for (std::size_t at = 0; at < output.size(); at += kPiece)
        say(Output{std::string(output.substr(at, kPiece))});
}

// What a disk that hangs may hold up. The action goes on without what could not be written in time.
constexpr std::chrono::milliseconds kPendingLimit{1'000};
constexpr std::chrono::milliseconds kRecordLimit{3'000};
constexpr std::chrono::milliseconds kNoticesLimit{
    5'000};  // for all channels; the master has them written then

// The record is there from before the stop until the program is known to run or to be none of our business,
// so that whoever ends this process in between leaves word of it. A restart that ends without a stop leaves
// the record of an earlier one alone.
// `unwritten`: set to why there was none, as far as is known: one that hangs may come to be written.
// `remains`: set when there may be one that is of no more use. It must not stay: once somebody stops the
// program, or another supervisord does not start it, the next look would start it.
ActionResult restart_with_record(const ActionRequest& request, LinkClient& link, const DiskWork& disk,
                                 std::optional<Error>& unwritten, bool& remains) {
    bool stops = false;
    const StageReport stage = [&](std::chrono::milliseconds limit, std::string_view what) {
        say(Stage{static_cast<std::uint64_t>(limit.count()),
                  (stops ? std::string(kStopOrdered) : std::string()) + std::string(what)});
    };
    ActionResult result = run_restart(request, link, stage, [&](std::int64_t start) {
        const auto tried = disk.run(kRecordLimit, [&] {
            return write_record(request.state_dir, ordered_now(request.program, start, request.cat_name));
        });
        if (!tried || !*tried)
            unwritten = tried ? tried->error() : tried.error();
        stops = true;
    });
    if (stops && !result.left_stopped) {
        const auto tried =
            disk.run(kPendingLimit, [&] { return remove_record(request.state_dir, request.program); });
        remains = !tried || !*tried || disk.somebody_waits();
    }
    return result;
}

}  // namespace

int run_action(Incident incident, int link_fd, int places_fd) {
    const ActionRequest& request = incident.request;
    const auto stage = [](std::chrono::milliseconds limit, std::string_view what) {
        say(Stage{static_cast<std::uint64_t>(limit.count()), std::string(what)});
    };
    // Before anything that may take its time, be it a disk or supervisord.
    stage(kPendingLimit + kLogTailLimit + kLogFileLimit, "begins");
    const DiskWork disk(places_fd);
    const auto began = std::chrono::steady_clock::now();
    std::optional<LinkClient> link;
    if (link_fd >= 0)
        link.emplace(UniqueFd(link_fd));
    LinkClient* asked = link ? &*link : nullptr;
    const bool tells = !request.channels.empty();
    std::optional<Error> unwritten;
    bool remains = false;  // the record of a restart, to be looked at by the master's next child
    // Best effort: the notice that counts is the one at the end.
    if (tells)
        if (const auto tried =
                disk.run(kPendingLimit, [&] { return Spool(request.state_dir).put_pending(incident); });
            !tried)
            unwritten = tried.error();
    LogTail log;
    std::optional<CommandGuard> guard;  // of a command, to the end of what it leaves behind
    // Everything else is as it would be.
    const MainAction action = request.cat.dry_run ? MainAction::none : incident.action;
    if (request.cat.dry_run)
        incident.result = rehearse(incident.action, request);
    switch (action) {
    case MainAction::restart:
        if (tells)  // before the program's next process writes over it
            log = log_tail(incident, asked, disk);
        if (link)
            incident.result = restart_with_record(request, *link, disk, unwritten, remains);
        else
            incident.result.message = "there is no link to supervisord";
        break;
    case MainAction::exec:
        incident.result = run_exec(request, ::getppid(), stage, guard);
        break;
    case MainAction::kill:
        incident.result = run_kill(request, asked);
        break;
    case MainAction::none:
        break;
    }
    if (unwritten)
        incident.result.message += " (without a record on disk: " + unwritten->text() + ")";
    incident.result.output = without_terminal_sequences(incident.result.output);
    say_output(incident.result.output);
    say(Done{incident.result.ok, incident.result.message, incident.result.left_stopped || remains});
    if (tells) {
        const auto tell = [&] {
            if (action != MainAction::restart)
                log = log_tail(incident, asked, disk);
            (void)disk.run(kNoticesLimit, [&] {
                (void)spool_notices(incident, log, 0);
                return Result<void>();
            });
        };
        // Not by the one who guards a command, and so must always be ready to end it.
        if (!guard || !guard->help(tell))
            tell();
    }
    if (guard) {
        sweep_leftovers(began + request.cat.exec_timeout, *guard);
        guard->wait_for_helpers(std::chrono::steady_clock::now() + kTellLimit);
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
                pollfd word{kControlFd, POLLIN, 0};
                char granted = 0;
                return ::poll(&word, 1, static_cast<int>(kClaimLimit.count())) > 0 &&
                       ::read(kControlFd, &granted, 1) == 1 && granted == kGranted;
            },
        .release =
            [](const std::string&) {
                say(Stage{0, ""});
            },
    };
    const DiskWork disk(places_fd);
    bool all = finish_restarts(state_dir, busy, link, disk, report);
    // A record that such a one writes late would be looked at by nobody.
    all = all && !disk.somebody_waits();
    say(Done{all, all ? "" : "some restarts are still unfinished", !all});
    return 0;
}

}  // namespace healthcheckd::master
