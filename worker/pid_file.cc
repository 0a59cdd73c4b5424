#include "worker/pid_file.h"

#include "common/line_codec.h"
#include "common/proc_stat.h"
#include "common/unique_fd.h"
#include "worker/procfs.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <spdlog/fmt/fmt.h>
#include <stdexcept>
#include <sys/stat.h>

namespace healthcheckd::worker {

namespace {

constexpr std::size_t kMaxBytes = 32;
constexpr pid_t kMaxPid = 4194304;

FoundProcess none(Verdict verdict, std::string why) {
    return {{}, verdict, std::move(why)};
}

}  // namespace

std::optional<pid_t> parse_pid(std::string_view text) {
    if (text.empty() || text.size() > kMaxBytes || text[0] < '0' || text[0] > '9')
        return std::nullopt;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    if (error != std::errc() || rest.find_first_not_of(" \t\r\n") != std::string_view::npos || pid < 2 ||
        pid > kMaxPid)
        return std::nullopt;
    return pid;
}

PidFile::PidFile(std::string path, pid_t master)
    : path_(std::move(path)), master_(master),
      folder_({std::filesystem::path(path_).parent_path().string()}) {}

FoundProcess PidFile::find() {
    const std::string file_name = printable(path_);
    // O_NONBLOCK: the open of a FIFO must not wait for a writer.
    const UniqueFd file(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
    if (!file) {
        const int error = errno;
        if (error == ENOENT || error == ENOTDIR)
            return none(Verdict::idle, fmt::format("there is no pid file {}", file_name));
        if (error == ELOOP)
            return none(Verdict::unknown, fmt::format("pid file {} is a symbolic link", file_name));
        if (error == EACCES && !folder_.replaced().empty())
            throw std::runtime_error(fmt::format("the folder of pid file {} was replaced", file_name));
        return none(Verdict::unknown, system_error("open pid file " + file_name, error).text());
    }
    struct stat status {};
    if (::fstat(file.get(), &status) != 0)
        return none(Verdict::unknown, system_error("fstat pid file " + file_name).text());
    if (!S_ISREG(status.st_mode))
        return none(Verdict::unknown, fmt::format("pid file {} is not a regular file", file_name));
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return none(Verdict::unknown, fmt::format("pid file {} can be written by others than its owner "
                                                  "(mode {:04o}); chmod go-w it",
                                                  file_name, status.st_mode & 07777));

    std::array<char, kMaxBytes + 1> buffer;
    const auto text = read_text(file.get(), buffer);
    if (!text)
        return none(Verdict::unknown, system_error("read pid file " + file_name, text.error().code).text());
    const auto pid = parse_pid(*text);
    if (!pid)
        return none(Verdict::unknown, fmt::format("pid file {} does not hold a process number but '{}'",
                                                  file_name, printable(*text)));
    return look_up(*pid, status.st_uid);
}

FoundProcess PidFile::look_up(pid_t pid, uid_t owner) const {
    const std::string file_name = printable(path_);
    std::array<char, 4096> buffer;
    const auto status = read_text(fmt::format("/proc/{}/status", pid), buffer);
    const int error = status ? 0 : status.error().code;
    if (error == ENOENT && processes_hidden())
        return none(Verdict::unknown, std::string(kHidden));
    if (error == ENOENT || error == ESRCH)
        return none(Verdict::idle, fmt::format("process {} of pid file {} does not run", pid, file_name));
    if (!status)
        return none(Verdict::unknown, status.error().text());
    const auto ids = status_ids(*status);
    if (!ids)
        return none(Verdict::unknown, fmt::format("/proc/{}/status is not understood", pid));
    if (ids->thread_group != pid)
        return none(Verdict::unknown, fmt::format("pid file {} holds {}, which is a thread of process {}",
                                                  file_name, pid, ids->thread_group));
    if (owner != 0 && owner != ids->real_uid && owner != ids->effective_uid)
        return none(Verdict::unknown,
                    fmt::format("pid file {} belongs to user {}, process {} to user {}: not trusted",
                                file_name, owner, pid, ids->real_uid));
    if (in_tree_of(pid, master_))
        return none(Verdict::unknown,
                    fmt::format("pid file {} names process {} of healthcheckd itself", file_name, pid));

    const auto stat_text = read_text(fmt::format("/proc/{}/stat", pid), buffer);
    const auto stat = stat_text ? parse_proc_stat(*stat_text) : std::nullopt;
    if (!stat || stat->state == 'Z' || stat->state == 'X')
        return none(Verdict::idle, fmt::format("process {} of pid file {} has ended", pid, file_name));
    return {ProcessId{pid, stat->start_ticks}, Verdict::success, {}};
}

}  // namespace healthcheckd::worker
