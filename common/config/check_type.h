// The interface of a type of check: one row holds everything that differs between types. Every process.
//
// The file of a type in worker/check defines its row; worker/check/table.cc lists them.
#pragma once

#include "common/config/settings.h"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

class Diagnostics;
struct CatConfig;
struct Key;
struct ProbeCommand;
struct Report;
struct SandboxProfile;
struct SectionDraft;
namespace worker {
class Probe;
}

// The unit that a type measures in, and the limit that a cat's values are compared with.
struct Scale {
    std::string_view unit;
    double limit = 0;
};

// A key that decides the verdicts of a cat, and its value as written in the file.
struct JudgedBy {
    std::string_view key;
    std::string value;
};

struct CheckType {
    std::string_view name;  // the value of `type`

    bool has_process = false;       // pidGet, pidFile and pidUser apply to it
    bool measures_process = false;  // measures a process or the whole machine, through files in /proc
    // Its failures are restarts, which the master counts; it also judges a program that is not running.
    bool counts_restarts = false;
    bool measures_over_time = false;  // a value takes two probes

    std::unique_ptr<Settings> (*make_settings)() = nullptr;
    std::span<const Key> keys;  // keys of the type
    // Checks rules between keys, and sets defaults that depend on other keys. nullptr: none.
    void (*finish)(const SectionDraft& draft, CatConfig& cat, Diagnostics& diagnostics) = nullptr;
    // Returns the server that it asks, within timeoutSeconds: " HOST PORT". nullptr: asks none.
    std::string (*server)(const CatConfig& cat) = nullptr;
    bool asks_server() const { return server != nullptr; }
    // Returns what is checked besides the program and the type; two cats with the same subject are an error.
    // nullptr: nothing.
    std::string (*subject)(const CatConfig& cat) = nullptr;
    std::vector<JudgedBy> (*judged_by)(const CatConfig& cat);

    Scale (*scale)(const CatConfig& cat);
    // Returns what is wrong with a worker's report whose unit and limit are right (see worker/report_rules);
    // "": nothing. nullptr: every verdict is possible with every value.
    std::string_view (*objection)(const Report& report, const ProbeCommand& asked) = nullptr;
    // Returns the file in /proc/PID that measures one process ("statm"). nullptr: none.
    std::string_view (*measured_file)(const CatConfig& cat) = nullptr;

    std::unique_ptr<worker::Probe> (*make_probe)(const CatConfig& cat);
    // Returns the privileges of its worker, which should be as few as possible.
    SandboxProfile (*profile)(const CatConfig& cat);
};

// All types, in the order in which users see them; the first is the default.
std::span<const CheckType* const> check_types();

// Returns the type of this name, or nullptr.
const CheckType* find_check_type(std::string_view name);

inline std::string_view to_string(const CheckType* type) {
    return type->name;
}

}  // namespace healthcheckd
