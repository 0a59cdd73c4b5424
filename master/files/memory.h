// The state of a cat that is restored in the next run of healthcheckd, and its form in stateDir/memory.json.
// Pure value: no I/O. Master, and the child that reads the file.
#pragma once

#include "common/system/result.h"
#include "common/wire/verdict.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

struct RememberedAction {
    std::chrono::system_clock::time_point at;
    std::string kind;
    bool ok = false;
    std::string message;
};

struct RememberedCat {
    std::string definition;  // definition of the cat that the counts belong to (config_compare)
    std::string about;       // program and type
    bool failed = false;
    std::uint32_t failures = 0;
    std::uint32_t successes = 0;
    ProcessId process;  // the process that the counts are about; pid 0: none
    std::uint64_t probes = 0;
    std::uint64_t fired = 0;
    bool paused = false;
    std::optional<std::chrono::system_clock::time_point> paused_until;
    std::vector<RememberedAction> actions;  // the oldest first, at most kMostActions
    // Starts of the program that were reported, as this run counts them: not in the file.
    std::optional<std::uint64_t> starts_reported;
};

// By the cat's name.
using Memory = std::map<std::string, RememberedCat>;

inline constexpr char kMemoryFile[] = "memory.json";
inline constexpr std::size_t kMostActions = 10;
inline constexpr std::size_t kMostMemoryBytes = 16u << 20;  // of the file

std::string encode_memory(const Memory& memory);

// Strict: fails, with the reason, for a text that encode_memory() cannot have written. Never throws.
Result<Memory> decode_memory(std::string_view text);

}  // namespace healthcheckd::master
