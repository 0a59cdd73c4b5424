// An action: everything that differs between actions, asked of one row. Every process.
//
// Each action is a file of master/action/type that defines its row; table.cc there names all of them.
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
    // What it asks supervisord by way of the link.
    enum class Asks : std::uint8_t {
        nothing,
        if_bound,  // whether the program is just being stopped, where the cat measures the program's process
        always,    // without a link it cannot be done
    };

    std::string_view name;  // its word in the key `action`
    // Of several that a cat names, the one with the lowest rank runs. No two have the same.
    unsigned rank = 0;

    bool stops_program = false;  // refused for healthcheckd's own program, impossible for the whole machine
    bool by_pid = false;         // impossible where supervisord, and so the process, is on another machine
    bool restarts = false;       // supervisord counts it as a start; what it leaves undone is finished later
    Asks asks = Asks::nothing;
    bool has_environment = false;  // its child may read the environment that healthcheckd was started with
    bool tail_first =
        false;  // it makes the program write over its log: what people are told of that comes first

    std::unique_ptr<Settings> (*make_settings)() = nullptr;
    std::span<const Key> keys = {};  // of its own
    // Rules between keys of a cat by which this action runs. nullptr: none.
    void (*check)(const SectionDraft& draft, const CatConfig& cat, Diagnostics& diagnostics) = nullptr;

    // What it would do, in words without a period: "restart web (pid 12) through supervisord". Never quotes a
    // secret.
    std::string (*plan)(const master::ActionRequest& request) = nullptr;
    // In a child of its own: may block as it likes, and is bounded in time by itself.
    master::ActionResult (*run)(master::ActionRun& run) = nullptr;
};

// All actions, in the order in which they are named to users.
std::span<const ActionType* const> action_types();

// The action called so; nullptr: there is none.
const ActionType* find_action(std::string_view name);

// Its name; "none" for nullptr, which is no action.
inline std::string_view to_string(const ActionType* action) {
    return action == nullptr ? "none" : action->name;
}

}  // namespace healthcheckd
