// Decides whether an action of a cat may begin, by what is known of its program; starts nothing itself.
// Master.
#pragma once

#include "master/cat/cat.h"
#include "master/supervisord/program_table.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace healthcheckd::master {

class ActionRules {
public:
    struct Facts {
        std::function<const Program*(const std::string&)> find_program;  // by name; nullptr: unknown
        // Returns whether an interrupted restart of the program is being finished.
        std::function<bool(const std::string&)> being_finished;
        std::vector<ProcessId> own_line;  // healthcheckd's processes and their ancestors
    };
    explicit ActionRules(Facts facts) : facts_(std::move(facts)) {}

    // Returns why the action must never run on this verdict; "": it may.
    std::string refusal(const Cat& cat, const ActionType* action, const Report& evidence) const;

    // Returns why an action on this verdict cannot begin now; "": it can. `work`: what is working on its
    // program already ("restart of cat2"), or empty.
    std::string obstacle(const Cat& cat, const Report& report, const std::string& work) const;

    // A restart done here led to the program's process after `starts` starts: this start must
    // not cause another restart.
    void note_restart(const std::string& program, std::uint64_t starts) { restarted_[program] = starts; }

    const std::vector<ProcessId>& own_line() const { return facts_.own_line; }

private:
    bool restarted_here(const Cat& cat, const Program& program) const;

    Facts facts_;
    std::map<std::string, std::uint64_t> restarted_;  // Program::starts, by program
};

}  // namespace healthcheckd::master
