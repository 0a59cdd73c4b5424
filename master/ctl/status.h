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
    std::size_t width = 0;   // columns that a line may have; 0: any number
    std::size_t height = 0;  // lines in all; 0: any number. What does not fit is counted, healthy ones first
};

// The state in an answer (the document of state.json) with all cats; with a `name`, only that cat, or the
// members of the cat of that name that is about a group. An error names the nearest cat.
Result<json> state_in(const json& answer, const std::string& name);

// Titles, a line for each cat, and the summary: how many are how, supervisord, mail.
std::vector<std::string> status_lines(const json& state, const StatusView& view);

// 0: no cat is failed or unknown. 1: some are, and not paused.
int status_code(const json& state);

}  // namespace healthcheckd::ctl
