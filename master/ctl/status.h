// The state of all cats as a table with a summary, and as an exit status. healthcheckctl.
#pragma once

#include "master/ctl/answer.h"

#include <chrono>
#include <string>
#include <vector>

namespace healthcheckd::ctl {

struct StatusView {
    std::chrono::system_clock::time_point now;
    bool colours = false;
    std::size_t width = 0;  // maximum columns of a line; 0: no maximum
    // Maximum number of lines; 0: no maximum. Cats that do not fit are counted, healthy ones first.
    std::size_t height = 0;
};

// Returns the state in an answer (the document of state.json) with all cats; with a `name`, only that cat, or
// the members of the group that the cat of that name checks. The error suggests the nearest name.
Result<json> state_in(const json& answer, const std::string& name);

// Returns the titles, a line for each cat, and a summary of the cats, supervisord and mail.
std::vector<std::string> status_lines(const json& state, const StatusView& view);

// Returns 0 when no cat is failed or unknown, except paused ones; else 1. `failed_only`: unknown ones do not count.
int status_code(const json& state, bool failed_only = false);

}  // namespace healthcheckd::ctl
