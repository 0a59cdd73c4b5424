// What the log says of a cat's verdicts. Master.
#pragma once

#include "common/wire/protocol.h"
#include "master/cat/threshold.h"

#include <string>
#include <string_view>

namespace healthcheckd::master {

class VerdictLog {
public:
    // A verdict that has just been counted, `before` being the state before it.
    void verdict(const std::string& who, const Threshold& threshold, CatState before, Event event,
                 const Report& report);

private:
    std::string last_unknown_;  // said already
};

// The state is another one than `before`, for `reason`.
void log_change(const std::string& who, const Threshold& threshold, CatState before, std::string_view reason);

}  // namespace healthcheckd::master
