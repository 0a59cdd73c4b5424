// The file in /proc that measures one process, passed by the master. Worker.
#pragma once

#include "common/system/unique_fd.h"
#include "worker/probe/probe.h"

#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace healthcheckd::worker {

class TrackedFile {
public:
    // Sets the process and its file. Returns whether this is another process than before.
    bool track(ProcessId process, UniqueFd descriptor);

    // Returns the file's present text for a probe of `process`, or the result of the probe: idle when the
    // process has ended, unknown when the file is not that of `process` or cannot be read.
    std::variant<std::string_view, ProbeResult> read(ProcessId process, std::span<char> buffer) const;

private:
    ProcessId process_;
    UniqueFd file_;
};

// Results without a measured value.
ProbeResult process_ended();
ProbeResult not_measured(std::string why);

}  // namespace healthcheckd::worker
