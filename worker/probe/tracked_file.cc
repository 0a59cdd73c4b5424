#include "worker/probe/tracked_file.h"

#include "common/proc/procfs.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::worker {

bool TrackedFile::track(ProcessId process, UniqueFd descriptor) {
    const bool other = process != process_;
    process_ = process;
    file_ = std::move(descriptor);
    return other;
}

std::variant<std::string_view, ProbeResult> TrackedFile::read(ProcessId process,
                                                              std::span<char> buffer) const {
    if (!file_ || process != process_)
        return not_measured(
            fmt::format("the master gave no descriptor for the measurement of process {}", process.pid));
    const auto text = read_text(file_.get(), buffer);
    if (text && !text->empty())
        return *text;
    if (text || text.error().code == ESRCH)
        return process_ended();
    return not_measured(system_error(fmt::format("read /proc/{}", process.pid), text.error().code).text());
}

ProbeResult process_ended() {
    ProbeResult result;
    result.verdict = Verdict::idle;
    result.message = "the process has ended";
    return result;
}

ProbeResult not_measured(std::string why) {
    ProbeResult result;
    result.verdict = Verdict::unknown;
    result.message = std::move(why);
    return result;
}

}  // namespace healthcheckd::worker
