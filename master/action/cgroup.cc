#include "master/action/cgroup.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <linux/sched.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace healthcheckd::master {

namespace {

// Returns the path after "0::" in /proc/self/cgroup; "" when there is none.
std::string own_group() {
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);)
        if (line.starts_with("0::/"))
            return line.substr(3);
    return {};
}

// Returns where the version 2 hierarchy is mounted (proc(5), mountinfo: the file system's type follows a lone
// "-").
std::string mount_point() {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        const std::size_t separator = line.find(" - cgroup2 ");
        if (separator == std::string::npos)
            continue;
        std::istringstream fields(line.substr(0, separator));
        std::string id, parent, device, root, place;
        if (fields >> id >> parent >> device >> root >> place)
            return place;
    }
    return {};
}

constexpr std::string_view kPrefix = "healthcheckd-command-";

// Returns the pid of the process that created the group of this name; 0: none.
pid_t maker_of(std::string_view name) {
    pid_t pid = 0;
    if (name.starts_with(kPrefix))
        std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), pid);
    return pid;
}

}  // namespace

std::string CommandCgroup::folder() {
    const std::string mount = mount_point();
    const std::string own = own_group();
    if (mount.empty() || own.empty())
        return {};
    return mount + (own == "/" ? "" : own);
}

CommandCgroup::CommandCgroup() {
    const std::string place = folder();
    if (place.empty())
        return;
    const std::string path = place + '/' + std::string(kPrefix) + std::to_string(::getpid());
    // A group of this name was left by an earlier process with the same pid. If it cannot be removed, it
    // contains processes that are not ours.
    if (::mkdir(path.c_str(), 0755) != 0 &&
        !(errno == EEXIST && ::rmdir(path.c_str()) == 0 && ::mkdir(path.c_str(), 0755) == 0))
        return;
    path_ = path;
    if (::access((path + "/cgroup.kill").c_str(), W_OK) == 0)
        group_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

CommandCgroup::~CommandCgroup() {
    if (!path_.empty())
        ::rmdir(path_.c_str());
}

// Creating a process in a group is fast; moving it there takes a lock that waits for all processors, up to 20
// ms.
pid_t CommandCgroup::fork_into() const noexcept {
    clone_args how{};
    how.flags = CLONE_INTO_CGROUP;  // Linux 5.7
    how.exit_signal = SIGCHLD;
    how.cgroup = static_cast<std::uint64_t>(group_.get());
    if (group_)
        if (const long pid = ::syscall(SYS_clone3, &how, sizeof how); pid >= 0)
            return static_cast<pid_t>(pid);
    const pid_t pid = ::_Fork();
    if (pid != 0 || !group_)
        return pid;
    const int procs = ::openat(group_.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC);
    (void)!::write(procs, "0", 1);
    ::close(procs);
    return 0;
}

std::size_t CommandCgroup::remove_stale() {
    constexpr int kMostEntries = 10'000;
    namespace fs = std::filesystem;
    std::error_code error;
    const std::string place = folder();
    fs::directory_iterator entry(place, error);
    std::vector<std::string> stale;
    for (int i = 0; !place.empty() && !error && i < kMostEntries && entry != fs::directory_iterator();
         entry.increment(error), ++i) {
        const pid_t maker = maker_of(entry->path().filename().string());
        // The group of another healthcheckd's command may be empty for a moment, so its creator must have
        // ended.
        if (maker > 0 && ::kill(maker, 0) != 0 && errno == ESRCH)
            stale.push_back(entry->path().string());
    }
    return static_cast<std::size_t>(std::count_if(
        stale.begin(), stale.end(), [](const std::string& path) { return ::rmdir(path.c_str()) == 0; }));
}

bool CommandCgroup::release(pid_t pid) const {
    if (!exists())
        return false;
    const std::string outside = std::filesystem::path(path_).parent_path().string() + "/cgroup.procs";
    const UniqueFd fd(::open(outside.c_str(), O_WRONLY | O_CLOEXEC));
    const std::string number = std::to_string(pid);
    return fd && ::write(fd.get(), number.data(), number.size()) > 0;
}

void CommandCgroup::release_sessions_but(pid_t session) const {
    constexpr int kMostRounds = 20;  // while the processes fork
    if (!exists())
        return;
    for (int round = 0; round < kMostRounds; ++round) {
        int moved = 0;
        std::ifstream members(path_ + "/cgroup.procs");
        for (pid_t pid = 0; members >> pid;) {
            if (::getsid(pid) != session)
                moved += release(pid) ? 1 : 0;
        }
        if (moved == 0)
            return;
    }
}

void CommandCgroup::kill() const {
    if (!exists())
        return;
    const UniqueFd fd(::open((path_ + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
    if (fd)
        (void)!::write(fd.get(), "1", 1);
}

}  // namespace healthcheckd::master
