#include "master/reader/process_reader_child.h"

#include "common/proc/proc_stat.h"
#include "common/proc/proc_status.h"
#include "common/sandbox/child_kinds.h"
#include "common/system/pidfd.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_reader.h"
#include "common/wire/say.h"
#include "master/trust/supervisor_port.h"

#include <optional>
#include <spdlog/fmt/ranges.h>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <sys/fsuid.h>

namespace healthcheckd::master {

namespace {

void answer(LineWriter&& line, int attached = -1) {
    if (const auto sent = send_packet(kControlFd, line.line(), attached); !sent && sent.error().code != EPIPE)
        throw std::runtime_error("control channel: " + sent.error().text());
}

void refuse(std::uint64_t seq, const Error& error) {
    answer(encode(Refused{seq, error.code, error.what}));
}

// Returns the last number in NSpid, which lists the pids of the process in each of its pid namespaces, from
// ours inwards. 0: it is only in ours, or unknown.
pid_t inner_pid(pid_t pid) {
    std::istringstream numbers(proc_status(pid, "NSpid").value_or(""));
    pid_t number = 0, inner = 0;
    numbers >> number;
    while (numbers >> number)
        inner = number;
    return inner;
}

// Returns the id in line `name` of /proc/PID/status if the real, effective, saved and file system ids are
// equal.
std::optional<uid_t> only_id(pid_t pid, std::string_view name) {
    std::istringstream ids(proc_status(pid, name).value_or(""));
    std::optional<uid_t> first;
    for (uid_t id = 0; ids >> id; first = id)
        if (id != first.value_or(id))
            return std::nullopt;
    return first;
}

// Opens the file as the process's user: file system ids equal to the process's own give the access that
// CAP_SYS_PTRACE would (ptrace(2), PTRACE_MODE_FSCREDS). errno is EACCES when that is not enough, and ENOENT when the
// process has ended, or is hidden from its user (mount option hidepid).
UniqueFd open_as_its_user(const std::string& path, pid_t pid) {
    const auto uid = only_id(pid, "Uid");
    const auto gid = only_id(pid, "Gid");
    if (!uid || !gid || ::geteuid() != 0) {
        errno = EACCES;
        return {};
    }
    ::setfsgid(*gid);
    ::setfsuid(*uid);
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const int error = errno;
    ::setfsuid(0);
    ::setfsgid(0);
    errno = error;
    return file;
}

// Access to a process of the same user is also denied when it has capabilities that this process lacks, or
// has changed its user since execve(2) (ptrace(2)).
Error not_allowed(const std::string& path, pid_t pid, int code) {
    const bool same = only_id(pid, "Uid") == ::geteuid();
    return {fmt::format("open {} of {} takes CAP_SYS_PTRACE (in a container, cap_add: [SYS_PTRACE])", path,
                        same ? "a process that has more rights or has changed its user"
                             : "another user's process"),
            code};
}

void identify(const Identify& question) {
    const auto stat = read_proc_stat(question.pid);
    if (!stat)
        return refuse(question.seq, stat.error());
    answer(encode(ProcessLine{question.seq, stat->start_ticks, stat->ppid, inner_pid(question.pid)}));
}

// Once the file is open the process is checked again: its pidfd shows if it ended in between, and the start
// time shows if another process has the pid.
void measure(const Measure& question) {
    const ProcessId process = question.process;
    const UniqueFd pidfd = open_pidfd(process.pid);
    if (!pidfd)
        return refuse(question.seq, system_error(fmt::format("pidfd_open {}", process.pid)));
    const std::string path = fmt::format("/proc/{}/{}", process.pid, question.file);
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file && (errno == EACCES || errno == EPERM))
        if (file = open_as_its_user(path, process.pid); !file && errno == ENOENT && !has_ended(pidfd))
            errno = EACCES;
    if (!file && (errno == EACCES || errno == EPERM))
        return refuse(question.seq, not_allowed(path, process.pid, errno));
    if (!file)
        return refuse(question.seq, system_error("open " + path));
    const auto stat = read_proc_stat(process.pid);
    if (!stat)
        return refuse(question.seq, stat.error());
    if (stat->start_ticks != process.start_ticks || has_ended(pidfd))
        return refuse(question.seq, Error{fmt::format("process {}", process.pid), ESRCH});
    answer(encode(Measured{question.seq}), file.get());
}

void look_for_socket(const Holds& question) {
    const auto held = holds_listener(question.pid, question.port);
    if (!held)
        return refuse(question.seq, held.error());
    answer(encode(Held{question.seq, *held}));
}

int serve() {
    for (;;) {
        auto packet = receive_packet(kControlFd, std::chrono::milliseconds(-1));
        if (!packet)
            throw std::runtime_error("control channel: " + packet.error().text());
        if (!*packet)
            return 0;
        ReaderCommand command;
        if (!decode((*packet)->line, command))
            throw std::runtime_error("a line of the master cannot be understood");
        if (const auto* question = std::get_if<Identify>(&command))
            identify(*question);
        else if (const auto* wanted = std::get_if<Measure>(&command))
            measure(*wanted);
        else
            look_for_socket(std::get<Holds>(command));
    }
}

}  // namespace

SandboxProfile process_reader_profile(const ChildUser& user) {
    SandboxProfile profile = profile_of(children::kProcessReader);
    profile.uid = user.uid;
    profile.gid = user.gid;
    profile.tasks = user.single ? 1 : RLIM_INFINITY;
    return profile;
}

int run_process_reader(SandboxLevel level, const ChildUser& user, pid_t master) noexcept {
    try {
        const auto missing = enter_sandbox(process_reader_profile(user), level, master);
        if (!missing)
            throw std::runtime_error("sandbox: " + missing.error().text());
        if (!write_line(kReportFd, encode(Ready{fmt::format("{}", fmt::join(*missing, ","))}).line()))
            return 1;
        return serve();
    } catch (const std::exception& error) {
        say(Broken{error.what()});
        return 1;
    }
}

}  // namespace healthcheckd::master
