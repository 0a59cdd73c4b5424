// The file of /proc that measures one process, as the master passed it. Worker.
#pragma once

#include "common/system/unique_fd.h"
#include "common/wire/protocol.h"
#include "worker/probe/probe.h"

#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace healthcheckd::worker {

class TrackedFile {
public:
    // Returns whether this is another process than before.
    bool track(ProcessId process, UniqueFd descriptor);

    // The file's text now, for a probe of `process`; or what the probe is to answer instead: idle when the
    // process has ended, unknown when the file is not the one of `process` or cannot be read.
    std::variant<std::string_view, ProbeResult> read(ProcessId process, std::span<char> buffer) const;

private:
    ProcessId process_;
    UniqueFd file_;
};

// Results without a measured value.
ProbeResult process_ended();
ProbeResult not_measured(std::string why);

}  // namespace healthcheckd::worker
