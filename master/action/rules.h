// May an action of a cat begin? Decides by what is known of its program; nothing here begins anything. Master.
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
        // What a restart of the program has left is being dealt with.
        std::function<bool(const std::string&)> being_finished;
        std::vector<ProcessId> own_line;  // healthcheckd's processes, and those above them
    };
    explicit ActionRules(Facts facts) : facts_(std::move(facts)) {}

    // Why the action must never be done, by this verdict; empty: it may.
    std::string refusal(const Cat& cat, const ActionType* action, const Report& evidence) const;

    // Why an action of the cat that acts on this verdict is not begun now; empty: nothing stands in its way. `work`:
    // what works at its program already ("restart of cat2"), empty: nothing.
    std::string obstacle(const Cat& cat, const Report& report, const std::string& work) const;

    // A restart done here has led to the process of the program that has so many starts behind it: its own start is no
    // reason for another one.
    void note_restart(const std::string& program, std::uint64_t starts) { restarted_[program] = starts; }

    const std::vector<ProcessId>& own_line() const { return facts_.own_line; }

private:
    bool restarted_here(const Cat& cat, const Program& program) const;

    Facts facts_;
    std::map<std::string, std::uint64_t> restarted_;  // Program::starts, by program
};

}  // namespace healthcheckd::master
