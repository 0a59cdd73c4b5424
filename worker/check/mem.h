// Check type `mem`: memory of a process, or of the whole machine, against maxMem. Configuration child,
// master and worker.
//
// In MB of 2^20 bytes. rss: all resident memory (statm); pss: a page shared by n processes counts as 1/n;
// uss: only pages that no other process has (both from smaps_rollup, proc(5)). For the machine: what programs
// cannot get without swapping, MemTotal minus MemAvailable in /proc/meminfo, whatever memType says.
#pragma once

#include "common/config/config.h"
#include "worker/probe/probe.h"
#include "worker/probe/tracked_file.h"

namespace healthcheckd {

enum class MemType : std::uint8_t { rss, pss, uss };
std::string_view to_string(MemType type);

struct MemCheck : SettingsOf<MemCheck> {
    double max_mem_mb = 1024;  // MB of 2^20 bytes
    MemType mem_type = MemType::rss;
};
extern const CheckType kMemCheck;

namespace worker {

class MemProbe final : public Probe {
public:
    explicit MemProbe(const CatConfig& cat) : cat_(cat), own_(cat.own<MemCheck>()) {}

    Result<void> prepare() override;
    void track(ProcessId process, UniqueFd descriptor) override;
    // Failure at or above the limit; idle when the process has ended; unknown when the file cannot be parsed.
    ProbeResult probe(const ProbeCommand& command) override;

private:
    ProbeResult judge(double megabytes, std::string_view what) const;

    const CatConfig& cat_;
    const MemCheck& own_;
    TrackedFile process_;
    UniqueFd meminfo_;
};

}  // namespace worker
}  // namespace healthcheckd
