// Reads stateDir/memory.json. Memory child.
#pragma once

#include <optional>
#include <string>

namespace healthcheckd::master {

// What a damaged file is called from then on, behind its name.
inline constexpr char kAside[] = ".damaged";

// What the child did, as its exit status.
enum MemoryOutcome { kMemoryRead = 0, kMemoryNone = 10, kMemoryDamaged = 11, kMemoryUnreadable = 12 };

// All of `fd`, from its beginning; nothing when there is more than kMostMemoryBytes, or on an error.
std::optional<std::string> read_all_memory(int fd);

// The life of the child: copies the file `path`, when it is sound, to the descriptor `memory`, and puts a damaged one
// aside. Returns a MemoryOutcome.
int run_load_memory(const std::string& path, int memory);

}  // namespace healthcheckd::master
