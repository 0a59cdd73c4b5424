// One question to healthcheckd over its unix socket, bounded in time and size. healthcheckctl.
#pragma once

#include "common/system/result.h"
#include "common/wire/control.h"

#include <chrono>
#include <optional>
#include <string>

namespace healthcheckd::ctl {

struct AskLimits {
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds answer{5'000};  // connection included
    std::size_t bytes = 64 * 1024 * 1024;
    int interrupt_fd = -1;  // the question is given up when it becomes readable
};

// The limits of a request: those that let healthcheckd wait for a probe or a file have more time. `timeout`:
// in place of them.
AskLimits limits_for(const ControlRequest& request, std::optional<std::chrono::milliseconds> timeout = {});

// The whole answer as it came, or why there is none, in a sentence that names the socket and what to do.
Result<std::string> ask(const std::string& socket, const ControlRequest& request, const AskLimits& limits);

}  // namespace healthcheckd::ctl
