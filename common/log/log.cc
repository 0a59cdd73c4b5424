#include "common/log/log.h"

#include "common/system/unique_fd.h"

#include <algorithm>
#include <memory>
#include <poll.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <string>
#include <sys/stat.h>

namespace healthcheckd::log {

namespace {

// Opens the pipe, terminal or file of stderr a second time, so that O_NONBLOCK does not affect other
// processes that share it. A socket cannot be opened this way; it is written with MSG_DONTWAIT. Neither can a
// pipe that another user created, such as root's supervisord for a program with `user=`: there the shared
// flag is changed, since a full pipe would otherwise block the master.
UniqueFd open_again(int fd) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    UniqueFd again(::open(path.c_str(), O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (again)
        return again;
    again.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (const int flags = ::fcntl(again.get(), F_GETFL); flags >= 0)
        ::fcntl(again.get(), F_SETFL, flags | O_NONBLOCK);
    return again;
}

class NonBlockingSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    explicit NonBlockingSink(int fd) : fd_(open_again(fd)) {
        struct stat status {};
        const bool known = ::fstat(fd_.get(), &status) == 0;
        socket_ = known && S_ISSOCK(status.st_mode);
        file_ = known && S_ISREG(status.st_mode);
    }

    int descriptor() const { return fd_.get(); }
    bool pending() const { return !waiting_.empty() || (dropped_ > 0 && !file_); }

    void drain() {
        while (!waiting_.empty()) {
            const ssize_t n = write_some(waiting_);
            if (n <= 0)
                return;
            waiting_.erase(0, static_cast<std::size_t>(n));
        }
        say_dropped();
    }

    std::function<void()> on_blocked;
    LogFormat format = LogFormat::text;
    LogClock clock;

protected:
    // A message is a whole line with its newline.
    void sink_it_(const spdlog::details::log_msg& message) override {
        const std::string_view line(message.payload.data(), message.payload.size());
        std::string_view rest = line;
        if (file_)
            return to_file(rest);
        if (waiting_.empty() && dropped_ == 0) {
            const ssize_t n = write_some(rest);
            if (n > 0)
                rest.remove_prefix(static_cast<std::size_t>(n));
            if (rest.empty())
                return;
        }
        // A partially written line must be completed; any other may be dropped.
        const bool whole = rest.size() == line.size();
        if (whole && (dropped_ > 0 || waiting_.size() + rest.size() > kBufferBytes)) {
            ++dropped_;
            return;
        }
        waiting_ += rest;
        if (on_blocked)
            on_blocked();
    }
    void flush_() override {}

private:
    void say_dropped() {
        const std::uint64_t dropped = std::exchange(dropped_, 0);
        if (dropped == 0)
            return;
        const char* const why = file_ ? "the file that is standard error could not be written"
                                      : "the reader of standard error did not keep up";
        const LogField field{"dropped", dropped};
        const std::string line =
            log_line(clock, format, Level::warning, "",
                     fmt::format("{} log lines were dropped: {}", dropped, why), {&field, 1});
        log(spdlog::details::log_msg("", spdlog::level::warn, line));
        if (dropped_ > 0)  // this line too; the number it was to report must not be lost
            dropped_ = dropped;
    }

    // A regular file gives no notice when it accepts more: what it does not accept at once is lost.
    void to_file(std::string_view line) {
        const std::string text = (torn_ ? "\n" : "") + std::string(line);
        const ssize_t n = ::write(fd_.get(), text.data(), text.size());
        if (n != static_cast<ssize_t>(text.size())) {
            torn_ = torn_ || n > 0;
            ++dropped_;
            return;
        }
        torn_ = false;
        say_dropped();
    }

    // Returns the number of bytes written; 0 when the reader does not read now; all when nobody ever will
    // (EPIPE, EIO).
    ssize_t write_some(std::string_view text) {
        const ssize_t n = socket_ ? ::send(fd_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                  : ::write(fd_.get(), text.data(), text.size());
        if (n >= 0)
            return n;
        return errno == EAGAIN || errno == EINTR ? 0 : static_cast<ssize_t>(text.size());
    }

    UniqueFd fd_;
    bool socket_ = false;
    bool file_ = false;
    bool torn_ = false;  // the file ends within a line
    std::string waiting_;
    std::uint64_t dropped_ = 0;
};

struct State {
    std::shared_ptr<NonBlockingSink> sink;
    std::unique_ptr<spdlog::logger> logger;
};

State& state() {
    static State the_log;
    return the_log;
}

spdlog::level::level_enum spd_level(Level level) {
    switch (level) {
    case Level::debug:
        return spdlog::level::debug;
    case Level::info:
        return spdlog::level::info;
    case Level::warning:
        return spdlog::level::warn;
    case Level::error:
        return spdlog::level::err;
    }
    __builtin_unreachable();
}

}  // namespace

void start(int fd, Level level) {
    State& log = state();
    log.sink = std::make_shared<NonBlockingSink>(fd);
    log.logger = std::make_unique<spdlog::logger>("healthcheckd", log.sink);
    log.logger->set_level(spd_level(level));
}

void set_format(LogFormat format) {
    if (state().sink)
        state().sink->format = format;
}

int descriptor() {
    return state().sink ? state().sink->descriptor() : -1;
}

bool pending() {
    return state().sink && state().sink->pending();
}

void on_blocked(std::function<void()> callback) {
    if (state().sink)
        state().sink->on_blocked = std::move(callback);
}

void flush() {
    if (state().sink)
        state().sink->drain();
}

void finish(std::chrono::milliseconds limit) {
    on_blocked({});
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (flush(); pending() && std::chrono::steady_clock::now() < deadline; flush()) {
        pollfd writable{descriptor(), POLLOUT, 0};
        ::poll(&writable, 1, 10);
    }
}

bool enabled(Level level) {
    return state().logger && state().logger->should_log(spd_level(level));
}

void write(Level level, std::string_view who, std::string_view text, LogFields fields) {
    if (!enabled(level))
        return;
    const std::string line = log_line(state().sink->clock, state().sink->format, level, who, text, fields);
    state().logger->log(spd_level(level), spdlog::string_view_t(line));
}

}  // namespace healthcheckd::log
