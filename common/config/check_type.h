// A type of check: everything that differs between types, asked of one row. Every process.
//
// Each type is a file of worker/check that defines its row; worker/check/table.cc names all of them.
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

// In which unit a type measures, and the limit by which a cat of it is judged.
struct Scale {
    std::string_view unit;
    double limit = 0;
};

// A key by which cats of a type are judged, and its value as the file has it.
struct JudgedBy {
    std::string_view key;
    std::string value;
};

struct CheckType {
    std::string_view name;  // the value of `type`

    bool asks_server = false;       // within timeoutSeconds; a worker has as long for a probe
    bool has_process = false;       // pidGet, pidFile and pidUser concern it
    bool measures_process = false;  // a process, or the whole machine, by files of /proc
    bool counts_restarts =
        false;  // its failures are restarts, which the master counts; it also judges a program
                // that does not run
    bool measures_over_time = false;  // a value needs two probes

    std::unique_ptr<Settings> (*make_settings)() = nullptr;
    std::span<const Key> keys;  // of the type's own
    // Rules between keys, and defaults that depend on others. nullptr: none.
    void (*finish)(const SectionDraft& draft, CatConfig& cat, Diagnostics& diagnostics) = nullptr;
    // What is checked, beside the program and by which type: of two cats with the same, one is too many.
    // nullptr: nothing else.
    std::string (*subject)(const CatConfig& cat) = nullptr;
    std::vector<JudgedBy> (*judged_by)(const CatConfig& cat);

    Scale (*scale)(const CatConfig& cat);
    // What is wrong with a worker's report that fits the scale, see worker/report_rules; empty: nothing. nullptr:
    // any verdict may come with any value.
    std::string_view (*objection)(const Report& report, const ProbeCommand& asked) = nullptr;
    // The file below /proc/PID that measures one process ("statm"). nullptr: none is needed.
    std::string_view (*measured_file)(const CatConfig& cat) = nullptr;

    std::unique_ptr<worker::Probe> (*make_probe)(const CatConfig& cat);
    // What its worker may do, which should be as little as works.
    SandboxProfile (*profile)(const CatConfig& cat);
};

// All types, in the order in which they are named to users; the first is the default.
std::span<const CheckType* const> check_types();

// The type called so; nullptr: there is none.
const CheckType* find_check_type(std::string_view name);

inline std::string_view to_string(const CheckType* type) {
    return type->name;
}

}  // namespace healthcheckd
