#include "master/ctl/watch.h"

#include "common/system/unique_fd.h"
#include "common/text/printable.h"
#include "common/text/table.h"
#include "common/text/time.h"
#include "common/text/width.h"
#include "master/ctl/client.h"
#include "master/ctl/status.h"
#include "master/ctl/terminal.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <thread>

namespace healthcheckd::ctl {

namespace {

using Clock = std::chrono::steady_clock;

// Shorter than the timeout of `status`, so that a daemon that does not answer is soon shown as such.
constexpr std::chrono::seconds kAnswerLimit{5};

// The contents of the screen: the state, or why there is none.
class Watched {
public:
    explicit Watched(const Options& options) : options_(options) {}

    // Requests the state. Returns false when interrupted, with nothing new.
    bool look(int interrupt_fd) {
        AskLimits limits = limits_for(request_of("status"), options_.timeout);
        limits.answer = kAnswerLimit;
        limits.interrupt_fd = interrupt_fd;
        const auto text = ask(options_.socket, request_of("status"), limits);
        if (pollfd news{interrupt_fd, POLLIN, 0}; interrupt_fd >= 0 && ::poll(&news, 1, 0) > 0)
            return false;
        take(text);
        return true;
    }

    std::string picture(const StatusView& view) const {
        const std::string title =
            local_time(view.now) + "  healthcheckd at " + printable(options_.socket, 120);
        std::vector<std::string> lines{view.width == 0 ? title : clipped(title, view.width)};
        StatusView below = view;
        if (view.height > 1)
            below.height = view.height - 1;
        if (!failure_.empty()) {
            const std::string text =
                failure_ +
                (last_answer_ ? "; it answered " + age_text(view.now - *last_answer_) + " ago" : "");
            lines.push_back(
                coloured(view.width == 0 ? text : clipped(text, view.width * 2), Colour::bad, view.colours));
        } else {
            for (std::string& line : status_lines(state_, below))
                lines.push_back(std::move(line));
        }
        std::string all;
        for (const std::string& line : lines)
            all += line + "\n";
        return all;
    }

private:
    void take(const Result<std::string>& text) {
        failure_.clear();
        const auto answer = text ? parse_answer(*text) : Result<json>(text.error());
        if (!answer) {
            failure_ = answer.error().text();
            return;
        }
        last_answer_ = std::chrono::system_clock::now();
        if (!flag_at(*answer, "ok"))
            failure_ = text_at(*answer, "error");
        else if (auto state = state_in(*answer, options_.name); state)
            state_ = std::move(*state);
        else
            failure_ = state.error().text();
    }

    const Options& options_;
    json state_;
    std::string failure_;
    std::optional<std::chrono::system_clock::time_point> last_answer_;
};

// Signals and keys in one descriptor, which a request can poll together with its answer.
class News {
public:
    News() {
        sigset_t signals;
        ::sigemptyset(&signals);
        for (const int number : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGWINCH})
            ::sigaddset(&signals, number);
        ::sigprocmask(SIG_BLOCK, &signals, nullptr);
        signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
        epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
        epoll_event event{};
        event.events = EPOLLIN;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, signals_.get(), &event);
        if (on_terminal(STDIN_FILENO))
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, STDIN_FILENO, &event);
    }

    int fd() const { return epoll_.get(); }

    // Waits until the deadline for a signal or key, and handles it. Returns whether to end.
    bool wait(Clock::time_point deadline) {
        pollfd news{epoll_.get(), POLLIN, 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (::poll(&news, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) <= 0)
            return false;
        signalfd_siginfo info{};
        while (::read(signals_.get(), &info, sizeof info) == sizeof info)
            if (info.ssi_signo != SIGWINCH)
                return true;
        return on_terminal(STDIN_FILENO) && end_by_key();
    }

private:
    static bool end_by_key() {
        char keys[64];
        pollfd in{STDIN_FILENO, POLLIN, 0};
        while (::poll(&in, 1, 0) > 0) {
            const ssize_t n = ::read(STDIN_FILENO, keys, sizeof keys);
            if (n <= 0)
                return true;  // the terminal is gone
            for (ssize_t i = 0; i < n; ++i)
                if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == '\x04')
                    return true;
        }
        return false;
    }

    UniqueFd signals_;
    UniqueFd epoll_;
};

int watch_on_terminal(const Options& options) {
    News news;  // before the screen: from now on every signal ends with restoring it
    const FullScreen screen;
    Watched watched(options);
    const bool colours = wants_colours(STDOUT_FILENO);
    for (bool end = false; !end;) {
        const auto next = Clock::now() + options.every;
        const bool looked = watched.look(news.fd());
        const TerminalSize size = terminal_size(STDOUT_FILENO);
        if (looked)
            screen.draw(watched.picture({.now = std::chrono::system_clock::now(),
                                         .colours = colours,
                                         .width = size.columns,
                                         .height = size.lines}));
        end = news.wait(looked ? next : Clock::now());
    }
    return 0;
}

}  // namespace

int run_watch(const Options& options) {
    if (on_terminal(STDOUT_FILENO))
        return watch_on_terminal(options);
    Watched watched(options);
    for (;;) {
        const auto next = Clock::now() + options.every;
        watched.look(-1);
        const std::string picture = watched.picture({.now = std::chrono::system_clock::now()}) + "\n";
        if (std::fputs(picture.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
            return 2;
        std::this_thread::sleep_until(next);
    }
}

}  // namespace healthcheckd::ctl
