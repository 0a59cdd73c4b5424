#include "master/action/descendants.h"

#include "common/system/unique_fd.h"

#include <array>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <poll.h>
#include <set>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

// A larger tree is ended in several rounds.
constexpr std::size_t kMaxList = 1 << 20;

std::string read_list(const std::filesystem::path& path) {
    std::string text;
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> buffer;
    while (file && text.size() < kMaxList) {
        const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
        if (n <= 0)
            break;
        text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
}

std::vector<pid_t> child_processes() {
    std::vector<pid_t> children;
    std::error_code ignored;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
        const std::string text = read_list(thread.path() / "children");
        const char* at = text.data();
        const char* const end = at + text.size();
        // The file has pids, each followed by a blank.
        for (pid_t pid = 0; at < end; ++at) {
            const auto parsed = std::from_chars(at, end, pid);
            if (parsed.ec != std::errc() || parsed.ptr == end)
                break;
            children.push_back(pid);
            at = parsed.ptr;
        }
    }
    return children;
}

}  // namespace

Descendants::Descendants() {
    for (const pid_t child : child_processes())
        spare(child);
}

std::vector<pid_t> Descendants::children() const {
    std::vector<pid_t> all = child_processes();
    std::erase_if(all,
                  [&](pid_t pid) { return spares(pid) || (session_ != 0 && ::getsid(pid) != session_); });
    return all;
}

std::optional<int> Descendants::reap(pid_t wanted) {
    std::optional<int> found;
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        spared_.erase(pid);  // a later descendant may get the pid
        if (pid == wanted)
            found = status;
    }
    return found;
}

std::size_t Descendants::kill(std::chrono::steady_clock::time_point until, pid_t wanted,
                              std::optional<int>* status) {
    std::set<pid_t> killed;
    for (;;) {
        const std::optional<int> found = reap(wanted);
        if (found && status != nullptr)
            *status = found;
        const std::vector<pid_t> all = children();
        if (all.empty() || std::chrono::steady_clock::now() >= until)
            return killed.size();
        for (const pid_t pid : all) {
            ::kill(pid, SIGKILL);
            killed.insert(pid);
        }
        ::poll(nullptr, 0, 2);
    }
}

}  // namespace healthcheckd::master
