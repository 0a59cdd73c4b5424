// What a restart is about to do, on disk before it is done, so that a program which was stopped is started
// again whatever happens to healthcheckd in between. Action.
#pragma once

#include "common/system/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace healthcheckd::master {

// One restart that was begun.
struct RestartRecord {
    std::string program;     // supervisord's full name
    std::int64_t start = 0;  // supervisord's start time of the process that is stopped, in seconds
    std::string cat;         // who wanted it
    // When it was ordered: seconds since the machine's boot, and which boot that was (random(4), boot_id).
    std::int64_t at = 0;
    std::string boot = {};
};
// One that is ordered now.
RestartRecord ordered_now(std::string program, std::int64_t start, std::string cat);
// Was it ordered within the last hour, since the machine's last boot?
bool is_recent(const RestartRecord& record);

// Keeps the record in `state_dir`/restarts, in the place of an older one of the same program.
Result<void> write_record(const std::string& state_dir, const RestartRecord& record);
Result<void> remove_record(const std::string& state_dir, const std::string& program);

struct RecordList {
    std::vector<RestartRecord> records;
    std::vector<std::string> damaged;  // files that hold no record; they have been renamed to NAME.corrupt
};
// All records, at most 1000.
RecordList list_records(const std::string& state_dir);

}  // namespace healthcheckd::master
