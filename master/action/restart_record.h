// Records on disk what a restart is about to do, so that a stopped program is started again whatever happens
// to healthcheckd in between. Action.
#pragma once

#include "common/system/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace healthcheckd::master {

// A restart that was begun.
struct RestartRecord {
    std::string program;     // supervisord's full name
    std::int64_t start = 0;  // supervisord's start time of the process to be stopped, in seconds
    std::string cat;         // the cat that ordered it
    // When it was ordered: seconds since boot, and which boot that was (random(4), boot_id).
    std::int64_t at = 0;
    std::string boot = {};
};
// Returns the record of a restart ordered now.
RestartRecord ordered_now(std::string program, std::int64_t start, std::string cat);
// Returns whether the restart was ordered within the last hour and since the last boot.
bool is_recent(const RestartRecord& record);

// Writes the record to `state_dir`/restarts; replaces an older one of the same program.
Result<void> write_record(const std::string& state_dir, const RestartRecord& record);
Result<void> remove_record(const std::string& state_dir, const std::string& program);

struct RecordList {
    std::vector<RestartRecord> records;
    std::vector<std::string> damaged;  // files that are no valid record, renamed to NAME.corrupt
};
// Returns all records, at most 1000.
RecordList list_records(const std::string& state_dir);

}  // namespace healthcheckd::master
