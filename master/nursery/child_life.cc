#include "master/nursery/child_life.h"

#include "common/system/child_fds.h"
#include "common/system/process_title.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"
#include "common/wire/protocol.h"

#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeepStderr = true;  // the sanitizers write there
#else
constexpr bool kKeepStderr = false;
#endif

// Moves `wanted` to kControlFd and up, opens /dev/null as 0 to 2, and closes all others.
bool arrange_descriptors(std::vector<int> wanted) {
    const int last = kControlFd + static_cast<int>(wanted.size());
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return false;
    wanted.push_back(null);
    // Moves all of them above the final numbers first, so that dup2() closes none that is still needed.
    for (int& fd : wanted) {
        fd = ::fcntl(fd, F_DUPFD_CLOEXEC, last + 1);
        if (fd < 0)
            return false;
    }
    const int null_copy = wanted.back();
    wanted.pop_back();
    for (int fd = 0; fd <= 2; ++fd)
        if (!(kKeepStderr && fd == 2) && ::dup2(null_copy, fd) < 0)
            return false;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (::dup3(wanted[i], kControlFd + static_cast<int>(i), O_CLOEXEC) < 0)
            return false;
    return ::close_range(static_cast<unsigned>(last), ~0U, 0) == 0;
}

// Not inlined: its buffer of 4096 bytes would stay on the stack of every child.
[[gnu::noinline]] void say_broken(int report, const std::string& why) noexcept {
    (void)write_line(report, encode(Broken{printable(why)}).line());
}

[[noreturn]] void give_up(int report) noexcept {
    say_broken(report, system_error("its descriptors could not be arranged").text());
    ::_exit(120);
}

// Runs the child's main function; reports an exception that escapes it.
int run(const std::function<int()>& main) noexcept {
    std::string why = "an exception of an unknown type";
    try {
        return main();
    } catch (const std::exception& error) {
        why = error.what();
    } catch (...) {
    }
    say_broken(kReportFd, why);
    return 1;
}

}  // namespace

void live_as_child(std::string_view title, std::vector<int> fds, pid_t master, Session session,
                   const std::function<int()>& main) noexcept {
    const int report = fds.at(1);
    // The loop's signal handlers would write into the master's own pipe, so they are reset while signals are
    // blocked.
    // Not signal(3), which keeps a table of its own: a page for each child.
    struct sigaction action {};
    for (int number = 1; number < NSIG; ++number) {
        // A closed pipe or a full file must return an error.
        action.sa_handler = number == SIGPIPE || number == SIGXFSZ ? SIG_IGN : SIG_DFL;
        ::sigaction(number, &action, nullptr);
    }
    sigset_t none;
    sigemptyset(&none);
    if (!arrange_descriptors(std::move(fds)))
        give_up(report);
    // Leaves the master's process group: a Ctrl-C, or a supervisord that signals the whole group, is
    // for the master to handle.
    if (session == Session::own)
        ::setsid();
    else
        ::setpgid(0, 0);
    set_process_title(title);
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != master)
        ::_exit(121);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::_exit(run(main));
}

}  // namespace healthcheckd::master
