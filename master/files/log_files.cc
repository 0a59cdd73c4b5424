#include "master/files/log_files.h"

#include "common/log/log.h"

#include <utility>

namespace healthcheckd::master {

bool renew_logs(Task& task, std::vector<LogFile> files, std::optional<Rotation> rotation,
                std::function<void(const std::string&)> on_end, Milliseconds limit) {
    ChildSpec spec(children::kLogFiles);
    for (const LogFile& file : files)
        spec.extra_fds.push_back(file.control);
    spec.main = [files = std::move(files), rotation](pid_t) {
        return run_renew_logs(files, rotation);
    };
    const auto started =
        task.start(spec, {.limit = limit}, {.on_end = [&task, on_end = std::move(on_end)](const auto&) {
                       on_end(task.failure());
                   }});
    if (!started)
        log::warning("", "log files could not be renewed: {}", started.error().text());
    return static_cast<bool>(started);
}

}  // namespace healthcheckd::master
