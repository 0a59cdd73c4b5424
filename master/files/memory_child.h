// Reads stateDir/memory.json. Memory child.
#pragma once

#include <optional>
#include <string>

namespace healthcheckd::master {

// Appended to the name of a damaged file.
inline constexpr char kAside[] = ".damaged";

// The child's result, as its exit status.
enum MemoryOutcome { kMemoryRead = 0, kMemoryNone = 10, kMemoryDamaged = 11, kMemoryUnreadable = 12 };

// Returns the contents of `fd` from its beginning; nullopt when it is larger than kMostMemoryBytes, or on an error.
std::optional<std::string> read_all_memory(int fd);

// The child's main function: copies the file `path`, if it is valid, to the descriptor `memory`, and renames a damaged
// one. Returns a MemoryOutcome.
int run_load_memory(const std::string& path, int memory);

}  // namespace healthcheckd::master
