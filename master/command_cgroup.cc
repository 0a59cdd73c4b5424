#include "master/command_cgroup.h"

#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace healthcheckd::master {

namespace {

// The path behind "0::" in /proc/self/cgroup; empty when there is none.
std::string own_group() {
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);)
        if (line.starts_with("0::/"))
            return line.substr(3);
    return {};
}

// Where the version 2 hierarchy is mounted (proc(5), mountinfo: the file system's type follows a lone "-").
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

}  // namespace

CommandCgroup::CommandCgroup() {
    const std::string mount = mount_point();
    const std::string own = own_group();
    if (mount.empty() || own.empty())
        return;
    const std::string path =
        mount + (own == "/" ? "" : own) + "/healthcheckd-command-" + std::to_string(::getpid());
    if (::mkdir(path.c_str(), 0755) != 0)
        return;
    path_ = path;
    if (::access((path + "/cgroup.kill").c_str(), W_OK) == 0)
        procs_.reset(::open((path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
}

CommandCgroup::~CommandCgroup() {
    if (!path_.empty())
        ::rmdir(path_.c_str());
}

void CommandCgroup::enter() const noexcept {
    if (procs_)
        (void)!::write(procs_.get(), "0", 1);
}

void CommandCgroup::kill() const {
    if (!exists())
        return;
    const UniqueFd fd(::open((path_ + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
    if (fd)
        (void)!::write(fd.get(), "1", 1);
}

}  // namespace healthcheckd::master
