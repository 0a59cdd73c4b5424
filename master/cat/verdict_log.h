// Writes log lines about a cat's verdicts. Master.
#pragma once

#include "common/wire/protocol_worker.h"
#include "master/cat/threshold.h"

#include <string>
#include <string_view>

namespace healthcheckd::master {

class VerdictLog {
public:
    // Logs a verdict that has just been counted. `before`: the state before it.
    void verdict(const std::string& who, const Threshold& threshold, CatState before, Event event,
                 const Report& report);

private:
    std::string last_unknown_;  // logged already
};

// Logs that the state changed from `before`, for `reason`.
void log_change(const std::string& who, const Threshold& threshold, CatState before, std::string_view reason);

}  // namespace healthcheckd::master
