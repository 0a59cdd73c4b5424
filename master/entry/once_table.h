// The output of -o: a table of verdicts and a summary. Master.
#pragma once

#include "common/wire/protocol_worker.h"

#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct OnceRow {
    std::string cat;
    std::string program;
    std::string type;
    std::optional<Report> report;  // nullopt: the cat is disabled
};

// Returns the titles and a line for each row, aligned on a terminal whatever the names are;
// without control characters.
std::vector<std::string> once_table(const std::vector<OnceRow>& rows);

// Returns "3 of 5 cats succeeded; 1 failure, 1 idle; 1 disabled".
std::string once_summary(const std::vector<OnceRow>& rows);

// Returns whether every cat that is not disabled has succeeded.
bool all_succeeded(const std::vector<OnceRow>& rows);

}  // namespace healthcheckd::master
