#include "master/process_reader_child.h"

#include "common/channel.h"
#include "common/pidfd.h"
#include "common/proc_stat.h"
#include "common/protocol.h"

#include <fstream>
#include <spdlog/fmt/ranges.h>
#include <sstream>
#include <stdexcept>

namespace healthcheckd::master {

namespace {

void answer(LineWriter&& line, int attached = -1) {
    if (const auto sent = send_packet(kControlFd, line.line(), attached); !sent && sent.error().code != EPIPE)
        throw std::runtime_error("control channel: " + sent.error().text());
}

void refuse(std::uint64_t seq, const Error& error) {
    answer(encode(Refused{seq, error.code, error.text()}));
}

// NSpid of /proc/PID/status (proc_pid_status(5)): the number of the process in each pid namespace that it is
// in, from ours inwards. 0: in no other one than ours, or it cannot be told.
pid_t inner_pid(pid_t pid) {
    constexpr int kMostLines = 100;
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    std::string line;
    for (int n = 0; n < kMostLines && std::getline(status, line); ++n) {
        if (!line.starts_with("NSpid:"))
            continue;
        std::istringstream numbers(line.substr(6));
        pid_t here = 0, inner = 0;
        numbers >> here;
        while (numbers >> here)
            inner = here;
        return inner;
    }
    return 0;
}

void identify(const Identify& question) {
    const auto stat = read_proc_stat(question.pid);
    if (!stat)
        return refuse(question.seq, stat.error());
    answer(encode(ProcessLine{question.seq, stat->start_ticks, stat->ppid, inner_pid(question.pid)}));
}

// Once the file is open the number is looked at again: a process that ended in between is told by its pidfd,
// and one that has the number now by its start time.
void measure(const Measure& question) {
    const ProcessId process = question.process;
    const UniqueFd pidfd = open_pidfd(process.pid);
    if (!pidfd)
        return refuse(question.seq, system_error(fmt::format("pidfd_open {}", process.pid)));
    const std::string path = fmt::format("/proc/{}/{}", process.pid, question.file);
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return refuse(question.seq, system_error("open " + path));
    const auto stat = read_proc_stat(process.pid);
    if (!stat)
        return refuse(question.seq, stat.error());
    if (stat->start_ticks != process.start_ticks || has_ended(pidfd))
        return refuse(question.seq, Error{fmt::format("process {}", process.pid), ESRCH});
    answer(encode(Measured{question.seq}), file.get());
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
        else
            measure(std::get<Measure>(command));
    }
}

}  // namespace

SandboxProfile process_reader_profile(const ChildUser& user) {
    SandboxProfile profile;
    profile.name = "process reader";
    profile.uid = user.uid;
    profile.gid = user.gid;
    profile.tasks = user.single ? 1 : RLIM_INFINITY;
    profile.reads_processes = true;
    profile.descriptors = kSenderDescriptors;
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
        (void)write_line(kReportFd, encode(Broken{error.what()}).line());
        return 1;
    }
}

}  // namespace healthcheckd::master
