#include "master/files/memory_loader.h"

#include "common/log/log.h"
#include "master/files/memory_child.h"

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <spdlog/fmt/chrono.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <utility>

namespace healthcheckd::master {

namespace {

// One name for each run: what an earlier run kept is not replaced.
std::string name_to_keep() {
    return fmt::format("{}.unread-{:%Y%m%dT%H%M%SZ}", kMemoryFile,
                       fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

LoadedMemory unread(const std::string& path, std::string_view why) {
    LoadedMemory none{.memory = {}, .keep_as = name_to_keep()};
    log::error(
        "state",
        "{} could not be read ({}); counts start afresh, and cats that were paused are not paused any more; "
        "the file is kept as {}",
        path, why, none.keep_as);
    return none;
}

LoadedMemory taken(const Task& task, const std::optional<ChildEnd>& end, const std::string& path,
                   int memory) {
    if (end && end->is_exit(kMemoryNone))
        return {};
    if (end && end->is_exit(kMemoryDamaged)) {
        log::error(
            "state",
            "{} is damaged, or of another version of healthcheckd, and was put aside as {}{}; counts start "
            "afresh, nothing is paused",
            path, path, kAside);
        return {};
    }
    if (end && end->is_exit(kMemoryUnreadable))
        return unread(path, "see its permissions, its size and its disk");
    if (!end || (WIFSIGNALED(end->wait_status) && WTERMSIG(end->wait_status) == SIGKILL))
        return unread(path, "its disk does not answer: " + task.failure());
    if (!task.failure().empty())
        return unread(path, task.failure());
    const auto text = read_all_memory(memory);
    auto decoded = text ? decode_memory(*text) : Error{"the copy cannot be read"};
    if (!decoded)
        return unread(path, decoded.error().text());
    return {.memory = std::move(*decoded)};
}

}  // namespace

void load_memory(Task& task, const std::string& state_dir, std::function<void(LoadedMemory)> done) {
    const std::string path = state_dir + '/' + kMemoryFile;
    auto memory = std::make_shared<UniqueFd>(::memfd_create("memory", MFD_CLOEXEC));
    ChildSpec spec(children::kMemory);
    spec.extra_fds = {memory->get()};
    spec.main = [path](pid_t) {
        return run_load_memory(path, kFirstExtraFd);
    };
    const auto on_end = [&task, path, memory, done](const std::optional<ChildEnd>& end) {
        done(taken(task, end, path, memory->get()));
    };
    if (!*memory || !task.start(spec, {.limit = children::kMemory.limit}, {.on_end = on_end}))
        done(unread(path, "no process could be started"));
}

}  // namespace healthcheckd::master
