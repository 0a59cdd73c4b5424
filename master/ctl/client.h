// Sends one request to healthcheckd over its unix socket, with limits on time and size. healthcheckctl.
#pragma once

#include "common/system/result.h"
#include "common/wire/control.h"

#include <chrono>
#include <optional>
#include <string>

namespace healthcheckd::ctl {

struct AskLimits {
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds answer{5'000};  // including the connection
    std::size_t bytes = 64 * 1024 * 1024;
    int interrupt_fd = -1;  // the request is aborted when it becomes readable
};

// Returns the limits for a request: longer timeouts for those that wait for a probe or a file. `timeout`
// replaces them.
AskLimits limits_for(const ControlRequest& request, std::optional<std::chrono::milliseconds> timeout = {});

// Returns the unparsed answer. An error is a sentence that names the socket and what to do.
Result<std::string> ask(const std::string& socket, const ControlRequest& request, const AskLimits& limits);

}  // namespace healthcheckd::ctl
