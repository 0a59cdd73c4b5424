// The result of one probe, and the process it measured. Every process.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

enum class Verdict : std::uint8_t {
    success,
    failure,
    idle,     // the program is not running: there is nothing to check
    unknown,  // the value could not be measured; says nothing about the program
};

// Returns whether the verdict says that the program is healthy or not.
constexpr bool is_judgement(Verdict verdict) {
    return verdict == Verdict::success || verdict == Verdict::failure;
}

std::string_view to_string(Verdict verdict);
std::optional<Verdict> verdict_from(std::string_view text);

// One process; the start time tells it from a later process with the same pid.
struct ProcessId {
    pid_t pid = 0;                  // 0: no process
    std::uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat, in clock ticks since boot (proc(5))

    bool running() const { return pid > 0; }
    friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

}  // namespace healthcheckd
