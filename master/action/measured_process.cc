#include "master/action/measured_process.h"

#include "common/file/folder_walk.h"
#include "common/proc/pid_finder.h"
#include "common/proc/proc_stat.h"
#include "common/system/pidfd.h"
#include "common/system/readable.h"
#include "common/system/unique_fd.h"
#include "common/wire/channel.h"
#include "master/trust/supervisor_port.h"

#include <array>
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using Is = ProcessLook::Is;

// For a killed child to end, unless it hangs in the kernel.
constexpr std::chrono::milliseconds kReapLimit{100};

std::string who(const ActionRequest& request) {
    return "pid " + std::to_string(request.evidence.process.pid);
}

// Returns success if `parent` is the supervisord of the request.
Result<void> check_parent(const ActionRequest& request, pid_t parent) {
    OwnerRule rule = request.supervisor_rule;
    rule.outside = outside_owner();
    if (!request.supervisor_socket.empty())
        return check_supervisor(parent, request.supervisor_socket, rule);
    if (request.supervisor_port != 0)
        return check_supervisor_port(parent, request.supervisor_port, request.supervisor_rule);
    return {};
}

// Writes one byte for `is`, then `why`.
void write_look(int fd, const ProcessLook& look) {
    constexpr std::size_t kMostWhy = 500;
    const std::string text =
        static_cast<char>('0' + static_cast<int>(look.is)) + look.why.substr(0, kMostWhy);
    (void)!::write(fd, text.data(), text.size());
}

ProcessLook read_look(int fd, Clock::time_point deadline) {
    ProcessLook look{Is::unsure, "it could not be looked at again in time"};
    std::array<char, 1024> buffer;
    const ssize_t size = readable_by(fd, deadline) ? ::read(fd, buffer.data(), buffer.size()) : 0;
    if (size > 0)
        look = {static_cast<Is>(buffer[0] - '0'),
                std::string(&buffer[1], static_cast<std::size_t>(size - 1))};
    return look;
}

}  // namespace

ProcessLook look_now(const ActionRequest& request, pid_t master) {
    const ProcessId measured = request.evidence.process;
    if (!measured.running())
        return {Is::unsure, "no process was measured"};
    const auto stat = read_proc_stat(measured.pid);
    if (!stat && (stat.error().code == ENOENT || stat.error().code == ESRCH))
        return {Is::ended, who(request) + " has ended"};
    if (!stat)
        return {Is::unsure, stat.error().text()};
    if (stat->start_ticks != measured.start_ticks)
        return {Is::other, who(request) + " is another process now"};
    if (stat->state == 'Z' || stat->state == 'X')
        return {Is::ended, who(request) + " has ended"};
    if (const auto finder = make_pid_finder(request.cat, master)) {
        finder->set_program_user(request.program_user);
        const FoundProcess found = finder->find();
        if (found.process != measured)
            return {Is::other, who(request) + " is not the process that " + request.cat.program +
                                   " means now" + (found.why.empty() ? "" : " (" + found.why + ")")};
        return {Is::same, found.doubt};
    } else if (const auto checked = check_parent(request, stat->ppid); !checked) {
        return {Is::unsure, checked.error().text()};
    }
    return {Is::same, {}};
}

ProcessLook look_again(const ActionRequest& request, pid_t master, std::chrono::milliseconds limit) {
    auto pipe = make_pipe();
    if (!pipe)
        return {Is::unsure, pipe.error().text()};
    const pid_t self = ::getpid();
    const pid_t child = ::_Fork();
    if (child < 0)
        return {Is::unsure, system_error("fork").text()};
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() == self)
            try {
                write_look(pipe->second.get(), look_now(request, master));
            } catch (const std::exception& problem) {
                write_look(pipe->second.get(), {Is::unsure, problem.what()});
            }
        ::_exit(0);
    }
    pipe->second.reset();
    const ProcessLook seen = read_look(pipe->first.get(), Clock::now() + limit);
    ::kill(child, SIGKILL);
    reap_within(child, kReapLimit);
    return seen;
}

}  // namespace healthcheckd::master
