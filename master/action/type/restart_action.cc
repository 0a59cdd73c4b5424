// The action `restart`: through supervisord, with a record on disk for as long as the program may be left stopped.
#include "master/action/action_child.h"
#include "master/action/restart_record.h"
#include "master/action/type/actions.h"

namespace healthcheckd {

namespace {

// How long a hanging disk may delay the restart, which then continues without the record.
constexpr std::chrono::milliseconds kRecordLimit{3'000};
constexpr std::chrono::milliseconds kRemoveLimit{1'000};

// The record exists from before the stop until the program is known to run or to be left alone,
// so that it survives the end of this process in between. A restart that ends without a stop
// leaves an earlier record alone.
//
// A record that is no longer needed must be removed: otherwise, once somebody stops the program, or another
// supervisord does not start it, the next run of the finisher would start it.
master::ActionResult restart_with_record(master::ActionRun& run) {
    const master::ActionRequest& request = run.request;
    if (run.link == nullptr)
        return {.ok = false, .message = "there is no link to supervisord"};
    bool stops = false;
    const master::StageReport stage = [&](std::chrono::milliseconds limit, std::string_view what) {
        run.stage(limit, (stops ? std::string(master::kStopOrdered) : std::string()) + std::string(what));
    };
    master::ActionResult result = master::run_restart(request, *run.link, stage, [&](std::int64_t start) {
        const auto tried = run.disk.run(kRecordLimit, [&] {
            return master::write_record(request.state_dir,
                                        master::ordered_now(request.program, start, request.cat_name));
        });
        if (!tried || !*tried)
            run.unwritten = tried ? tried->error() : tried.error();
        stops = true;
    });
    if (stops && !result.left_stopped) {
        const auto tried = run.disk.run(
            kRemoveLimit, [&] { return master::remove_record(request.state_dir, request.program); });
        run.remains = !tried || !*tried || run.disk.somebody_waits();
    }
    return result;
}

std::string restart_plan(const master::ActionRequest& request) {
    return "restart " + request.program + master::measured_pid(request) + " through supervisord";
}

}  // namespace

extern const ActionType kRestartAction{
    .name = "restart",
    .rank = 1,
    .stops_program = true,
    .restarts = true,
    .asks = ActionType::Asks::always,
    .tail_first = true,
    .plan = restart_plan,
    .run = restart_with_record,
};

}  // namespace healthcheckd
