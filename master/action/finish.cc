#include "master/action/finish.h"

#include "common/text/printable.h"
#include "master/action/restart_record.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

constexpr std::chrono::milliseconds kCallLimit{12'000};
constexpr std::chrono::milliseconds kRemoveLimit{1'000};

// The result for one record: a sentence, "" when there is nothing to report, and whether the record is done.
struct Finished {
    bool done = false;
    std::string sentence;
};

Finished finish(const RestartRecord& record, LinkClient& link) {
    const CallResult info = link.call("info", record.program, kCallLimit);
    if (info.code == kFaultBadName)
        return {true, fmt::format("{} is no program of supervisord any more", record.program)};
    if (!info.ok())
        return {false, fmt::format("{} cannot be looked at: {}", record.program, info.message)};
    const ProgramLine& now = info.program;
    if (now.state == kStopping)
        return {false, fmt::format("{} is still being stopped", record.program)};
    if (now.state != kStopped)
        return {true, {}};
    // start is 0 when this supervisord has never started the program: the supervisord that stopped it was
    // restarted since, and autostart is false. Without healthcheckd the program would be running, unless so
    // much has happened since that the operator knows better.
    if (now.start == 0 && !is_recent(record))
        return {true, fmt::format("{} was stopped by a restart that is long over, and supervisord has been "
                                  "started since; it stays stopped",
                                  record.program)};
    if (now.start != record.start && now.start != 0)
        return {true, fmt::format("{} was started and stopped by somebody else since; it stays stopped",
                                  record.program)};
    const CallResult started = link.call("start", record.program, kCallLimit);
    switch (started.code) {
    case kCallOk:
    case kFaultAlreadyStarted:
        return {true, fmt::format("{} started: a restart for {} had stopped it and was not finished",
                                  record.program, record.cat)};
    case kFaultSpawnError:
    case kFaultNoFile:
    case kFaultNotExecutable:
        return {true, fmt::format("{} could not be started after an unfinished restart: {}", record.program,
                                  started.message)};
    default:
        return {false, fmt::format("{} could not be started yet: {}", record.program, started.message)};
    }
}

// Removes a record. Returns whether it is gone.
bool forget(const std::string& state_dir, const RestartRecord& record, const DiskWork& disk,
            const FinishReport& report) {
    const auto tried = disk.run(kRemoveLimit, [&] { return remove_record(state_dir, record.program); });
    if (!tried)
        report.say("the record of a restart could not be removed: " + tried.error().text());
    else if (!*tried)
        report.say(tried->error().text());
    return tried && *tried;
}

}  // namespace

bool finish_restarts(const std::string& state_dir, const std::set<std::string>& busy, LinkClient& link,
                     const DiskWork& disk, const FinishReport& report) {
    RecordList list = list_records(state_dir);
    for (const std::string& file : list.damaged)
        report.say(file + " is no record of a restart; renamed to *.corrupt");
    const bool skipped = std::erase_if(list.records, [&](const RestartRecord& each) {
                             return busy.contains(each.program);
                         }) > 0;
    if (list.records.empty())
        return !skipped;
    bool all = !skipped;
    for (const RestartRecord& record : list.records) {
        if (!report.claim(record.program)) {
            all = false;
            continue;
        }
        const Finished finished = finish(record, link);
        if (!finished.sentence.empty())
            report.say(printable(finished.sentence));
        const bool done = finished.done && forget(state_dir, record, disk, report);
        // Released only now: the next restart of the program writes its record under the same name.
        report.release(record.program);
        all = all && done;
    }
    return all;
}

}  // namespace healthcheckd::master
