#include "common/proc/pid_file.h"

#include "common/proc/proc_stat.h"
#include "common/proc/procfs.h"
#include "common/system/unique_fd.h"
#include "common/text/printable.h"
#include "common/text/split.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <spdlog/fmt/fmt.h>
#include <stdexcept>
#include <sys/stat.h>

namespace healthcheckd {

namespace {

constexpr std::size_t kMaxBytes = 4096;  // more than any first line
constexpr pid_t kMaxPid = 4194304;

FoundProcess none(Verdict verdict, std::string why) {
    return {{}, verdict, std::move(why)};
}

std::string_view first_line(std::string_view text) {
    return text.substr(0, text.find('\n'));
}

// /var/run is root's symbolic link to /run since version 3.0 of the Filesystem Hierarchy Standard.
std::string in_run(const std::string& path) {
    constexpr std::string_view kOld = "/var/run/";
    std::array<char, 16> target;
    if (!path.starts_with(kOld))
        return path;
    const ssize_t n = ::readlink("/var/run", target.data(), target.size());
    const std::string_view to(target.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return to == "/run" || to == "../run" ? "/run/" + path.substr(kOld.size()) : path;
}

}  // namespace

std::optional<pid_t> parse_pid(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\v\f";
    text = trimmed_front(first_line(text), kBlanks);
    text = text.substr(0, text.find_first_of(kBlanks));
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (error != std::errc() || end != text.data() + text.size() || pid < 2 || pid > kMaxPid)
        return std::nullopt;
    return pid;
}

PidFile::PidFile(const std::string& path, pid_t master)
    : path_(in_run(path)), shown_(printable(path_)), master_(master), first_(place_of(folder())),
      group_(group_to_read()) {}

PidFile::Place PidFile::place_of(const Result<WalkedFolder>& folder) {
    struct stat status {};
    if (!folder || ::fstat(folder->fd.get(), &status) != 0)
        return {0, 0};
    return {status.st_dev, status.st_ino};
}

Result<WalkedFolder> PidFile::folder() const {
    return open_folder(std::filesystem::path(path_).parent_path().string(), {});
}

FoundProcess PidFile::no_folder(const Error& error) const {
    if (error.code == ENOENT || error.code == ENOTDIR)
        return none(Verdict::idle, fmt::format("there is no pid file {}", shown_));
    if (error.code == ELOOP)
        return none(Verdict::unknown, fmt::format("pid file {}: {}, which may come to lead elsewhere; give "
                                                  "pidFile the path without it",
                                                  shown_, error.what));
    return none(Verdict::unknown, fmt::format("pid file {}: {}", shown_, error.text()));
}

FoundProcess PidFile::not_opened(int error, const WalkedFolder& folder) const {
    if (error == ENOENT || error == ENOTDIR)
        return none(Verdict::idle, fmt::format("there is no pid file {}", shown_));
    if (error == ELOOP)
        return none(Verdict::unknown, fmt::format("pid file {} is a symbolic link", shown_));
    if (error == EACCES && group_to_read() != group_)
        throw std::runtime_error(fmt::format("pid file {} is for another group", shown_));
    struct stat status {};
    if (error == EACCES && ::fstat(folder.fd.get(), &status) == 0 &&
        Place(status.st_dev, status.st_ino) != first_)
        throw std::runtime_error(fmt::format("the folder of pid file {} was replaced", shown_));
    const std::string why = system_error("open pid file " + shown_, error).text();
    return none(Verdict::unknown,
                error == EACCES
                    ? why + "; a worker is no user of the program's: file and folders must let all, or "
                            "the file's group, read it (PostgreSQL: external_pid_file)"
                    : why);
}

std::string PidFile::distrust(const struct stat& status, const WalkedFolder& folder) const {
    if (!S_ISREG(status.st_mode))
        return fmt::format("pid file {} is not a regular file", shown_);
    if ((status.st_mode & S_IWOTH) != 0)
        return fmt::format("pid file {} can be written by others than its owner (mode {:04o}); chmod o-w it",
                           shown_, status.st_mode & 07777);
    if (status.st_uid != 0)
        return {};
    if (!folder.foreign.empty())
        return fmt::format("pid file {} of root's is not trusted: others than root may change {}, and so put "
                           "another one there; chown root and chmod go-w that folder, or let the file belong "
                           "to the program's user",
                           shown_, printable(folder.foreign));
    if (status.st_nlink > 1)
        return fmt::format("pid file {} of root's is not trusted: it has another name (hard link)", shown_);
    return {};
}

std::string PidFile::doubt(const struct stat& status) const {
    if ((status.st_mode & S_IWGRP) == 0)
        return {};
    return fmt::format("pid file {} can be written by group {} (mode {:04o}): good enough to measure and to "
                       "restart, not to kill; chmod g-w it",
                       shown_, status.st_gid, status.st_mode & 07777);
}

std::optional<gid_t> PidFile::group_to_read() const {
    const auto above = folder();
    struct stat status {};
    if (!above ||
        ::fstatat(above->fd.get(), std::filesystem::path(path_).filename().c_str(), &status,
                  AT_SYMLINK_NOFOLLOW) != 0 ||
        !distrust(status, *above).empty() || (status.st_mode & (S_IRGRP | S_IROTH)) != S_IRGRP)
        return std::nullopt;
    return status.st_gid;
}

FoundProcess PidFile::look() {
    const auto above = folder();
    if (!above)
        return no_folder(above.error());
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const UniqueFd file(::openat(above->fd.get(), std::filesystem::path(path_).filename().c_str(),
                                 O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
    if (!file)
        return not_opened(errno, *above);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0)
        return none(Verdict::unknown, system_error("fstat pid file " + shown_).text());
    if (std::string why = distrust(status, *above); !why.empty())
        return none(Verdict::unknown, std::move(why));

    std::array<char, kMaxBytes + 1> buffer;
    const auto text = read_text(file.get(), buffer);
    if (!text)
        return none(Verdict::unknown, system_error("read pid file " + shown_, text.error().code).text());
    const auto pid = parse_pid(*text);
    if (!pid)
        return none(Verdict::unknown, fmt::format("pid file {} does not hold a process number but '{}'",
                                                  shown_, printable(first_line(*text), 60)));
    if (left_out(*pid))
        return none(Verdict::unknown, fmt::format("process {} of pid file {} cannot be looked at: reading of "
                                                  "it hangs",
                                                  *pid, shown_));
    FoundProcess found = look_up(*pid, status.st_uid);
    if (found.process.running())
        found.doubt = doubt(status);
    return found;
}

FoundProcess PidFile::look_up(pid_t pid, uid_t owner) const {
    std::array<char, 4096> buffer;
    const auto status = read_text(fmt::format("/proc/{}/status", pid), buffer);
    const int error = status ? 0 : status.error().code;
    if (error == ENOENT && processes_hidden())
        return none(Verdict::unknown, std::string(kHidden));
    if (error == ENOENT || error == ESRCH)
        return none(Verdict::idle, fmt::format("process {} of pid file {} does not run", pid, shown_));
    if (!status)
        return none(Verdict::unknown, status.error().text());
    const auto ids = status_ids(*status);
    if (!ids)
        return none(Verdict::unknown, fmt::format("/proc/{}/status is not understood", pid));
    if (ids->thread_group != pid)
        return none(Verdict::unknown, fmt::format("pid file {} holds {}, which is a thread of process {}",
                                                  shown_, pid, ids->thread_group));
    // The real user, who may signal the process (kill(2)): a daemon of root may change its
    // effective user for a while.
    if (owner != 0 && owner != ids->real_uid)
        return none(Verdict::unknown,
                    fmt::format("pid file {} belongs to user {}, process {} to user {}: not trusted", shown_,
                                owner, pid, ids->real_uid));
    if (in_tree_of(pid, master_))
        return none(Verdict::unknown,
                    fmt::format("pid file {} names process {} of healthcheckd itself", shown_, pid));

    const Look look(*this, pid);
    const auto stat_text = read_text(fmt::format("/proc/{}/stat", pid), buffer);
    const auto stat = stat_text ? parse_proc_stat(*stat_text) : std::nullopt;
    if (!stat || stat->state == 'Z' || stat->state == 'X')
        return none(Verdict::idle, fmt::format("process {} of pid file {} has ended", pid, shown_));
    return {ProcessId{pid, stat->start_ticks}, Verdict::success, {}};
}

}  // namespace healthcheckd
