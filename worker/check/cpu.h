// Check type `cpu`: processor time of a process, or of the whole machine, against maxCpu.
// Configuration child, master and worker.
//
// For a process: user and system time of all its threads since the last probe, in per cent of one core, so
// that several threads can exceed 100. For the machine: the share of time in which the processors together
// were not idle, 0 to 100; time taken by a hypervisor counts as busy. The kernel counts in clock ticks of 10
// ms, so a first probe too soon after the baseline waits for kMinCpuSpan.
#pragma once

#include "common/config/config.h"
#include "worker/probe/probe.h"
#include "worker/probe/tracked_file.h"

#include <chrono>
#include <variant>

namespace healthcheckd {

struct CpuCheck : SettingsOf<CpuCheck> {
    double max_cpu_percent = 90;  // of one core; of the whole machine for program "system"
};
extern const CheckType kCpuCheck;

namespace worker {

// Minimum time between a baseline and a probe: 20 clock ticks.
inline constexpr std::chrono::milliseconds kMinCpuSpan{200};

class CpuProbe final : public Probe {
public:
    explicit CpuProbe(const CatConfig& cat) : cat_(cat), own_(cat.own<CpuCheck>()) {}

    Result<void> prepare() override;
    // Takes the baseline, so that the first probe has a value.
    void track(ProcessId process, UniqueFd descriptor) override;
    // Failure at or above the limit; idle when the process has ended; unknown when the file cannot be parsed.
    ProbeResult probe(const ProbeCommand& command) override;

private:
    using Clock = std::chrono::steady_clock;
    struct Sample {
        Clock::time_point at;
        std::uint64_t busy = 0;   // ticks of work
        std::uint64_t total = 0;  // all ticks; only for the machine
    };
    std::variant<Sample, ProbeResult> measure(ProcessId process) const;
    ProbeResult judge(double percent) const;

    const CatConfig& cat_;
    const CpuCheck& own_;
    TrackedFile process_;
    UniqueFd machine_;
    std::optional<Sample> last_;
};

}  // namespace worker
}  // namespace healthcheckd
