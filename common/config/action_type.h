// The interface of an action: one row holds everything that differs between actions. Every process.
//
// Each file in master/action/type defines the row of one action; table.cc there lists them.
#pragma once

#include "common/config/settings.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace healthcheckd {

class Diagnostics;
struct CatConfig;
struct Key;
struct SectionDraft;
namespace master {
struct ActionRequest;
struct ActionResult;
struct ActionRun;
}  // namespace master

struct ActionType {
    // What the master asks supervisord before the action runs, through the link.
    enum class Asks : std::uint8_t {
        nothing,
        if_bound,  // whether the program is being stopped, if the cat measures the program's process
        always,    // the action cannot run without the link
    };

    std::string_view name;  // the name in the key `action`
    // If a cat names several, the one with the lowest rank runs. Ranks are unique.
    unsigned rank = 0;

    bool stops_program = false;  // rejected for healthcheckd's own program, impossible for the whole machine
    bool by_pid = false;         // impossible if supervisord, and so the process, is on another machine
    bool restarts = false;       // supervisord counts it as a start; an interrupted restart is finished later
    Asks asks = Asks::nothing;
    bool has_environment = false;  // its child may read the environment that healthcheckd was started with
    // Makes the program write to its log: the end of the log, which the notice quotes, is read before it
    // runs.
    bool tail_first = false;

    std::unique_ptr<Settings> (*make_settings)() = nullptr;
    std::span<const Key> keys = {};  // keys of the action
    // Checks rules between the keys of a cat that has this action. nullptr: none.
    void (*check)(const SectionDraft& draft, const CatConfig& cat, Diagnostics& diagnostics) = nullptr;

    // Returns what the action would do, in words without a period: "restart web (pid 12) through
    // supervisord". Never contains a secret.
    std::string (*plan)(const master::ActionRequest& request) = nullptr;
    // Runs the action in a child of its own. May block; bounds its own time.
    master::ActionResult (*run)(master::ActionRun& run) = nullptr;
};

// All actions, in the order in which users see them.
std::span<const ActionType* const> action_types();

// Returns the action of this name, or nullptr.
const ActionType* find_action(std::string_view name);

// Returns its name; "none" for nullptr.
inline std::string_view to_string(const ActionType* action) {
    return action == nullptr ? "none" : action->name;
}

}  // namespace healthcheckd
