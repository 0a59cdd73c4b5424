// supervisord's answer to `list`, as the link brings it. Master.
#pragma once

#include "common/wire/protocol_supervisord.h"

#include <chrono>
#include <vector>

namespace healthcheckd::master {

struct SupervisorTable {
    std::vector<ProgramLine> programs = {};
    SupervisorLine supervisord = {};    // which process answered
    std::chrono::milliseconds took{0};  // from the request to the answer
};

}  // namespace healthcheckd::master
