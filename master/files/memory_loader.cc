#include "master/files/memory_loader.h"

#include "common/log/log.h"
#include "master/files/memory_child.h"

#include <memory>
#include <optional>
#include <sys/mman.h>

namespace healthcheckd::master {

namespace {

void tell(const std::optional<ChildEnd>& end, const std::string& failure, const std::string& path) {
    if (end && end->is_exit(kMemoryDamaged))
        log::error(
            "state",
            "{} is damaged, or of another version of healthcheckd, and was put aside as {}{}; counts start "
            "afresh, nothing is paused",
            path, path, kAside);
    else if (!end || !end->is_exit(kMemoryNone))
        log::error("state", "{} could not be read ({}); counts start afresh", path,
                   end && end->is_exit(kMemoryUnreadable) ? "see its permissions, its size and its disk"
                                                          : failure);
}

}  // namespace

void load_memory(Task& task, const std::string& state_dir, std::function<void(Memory)> done) {
    const std::string path = state_dir + '/' + kMemoryFile;
    auto memory = std::make_shared<UniqueFd>(::memfd_create("memory", MFD_CLOEXEC));
    ChildSpec spec(children::kMemory);
    spec.extra_fds = {memory->get()};
    spec.main = [path](pid_t) {
        return run_load_memory(path, kFirstExtraFd);
    };
    const auto on_end = [&task, path, memory, done](const std::optional<ChildEnd>& end) {
        if (!task.failure().empty()) {
            tell(end, task.failure(), path);
            return done({});
        }
        const auto text = read_all_memory(memory->get());
        auto decoded = text ? decode_memory(*text) : Error{"it cannot be read"};
        if (!decoded)
            log::error("state", "{}: {}; counts start afresh", path, decoded.error().text());
        done(decoded ? std::move(*decoded) : Memory{});
    };
    if (!*memory || !task.start(spec, {.limit = children::kMemory.limit}, {.on_end = on_end})) {
        log::error("state", "{} could not be read: no process could be started", path);
        done({});
    }
}

}  // namespace healthcheckd::master
