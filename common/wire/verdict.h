// What one probe found out, and which process it was about. Every process.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

enum class Verdict : std::uint8_t {
    success,
    failure,
    idle,     // the program does not run: there is nothing to check
    unknown,  // it could not be measured: says nothing about the program
};

// Does it say whether the program is well?
constexpr bool is_judgement(Verdict verdict) {
    return verdict == Verdict::success || verdict == Verdict::failure;
}

std::string_view to_string(Verdict verdict);
std::optional<Verdict> verdict_from(std::string_view text);

// One process, told from a later one that got the same number by its start time.
struct ProcessId {
    pid_t pid = 0;                  // 0: no process
    std::uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat, in clock ticks since boot (proc(5))

    bool running() const { return pid > 0; }
    friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

}  // namespace healthcheckd
