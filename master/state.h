// The state of healthcheckd for people and programs: a table for the log, and state.json. Master.
#pragma once

#include "master/cat/cats.h"
#include "master/mailer/mailer.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct StateView {
    std::string config_file;
    std::chrono::system_clock::time_point started;
    bool supervisord_reachable = false;
    std::string supervisord_error;
    Mailer::Counters mails;
    std::vector<std::shared_ptr<Cat>> cats;
    std::vector<Cats::Absent> absent = {};
};

// Returns the whole state as JSON; healthcheckd(8) describes its members.
std::string state_json(const StateView& view);

// Returns a header line, then a line for each cat.
std::vector<std::string> state_table(const StateView& view);

}  // namespace healthcheckd::master
