// The log: lines to stderr that never wait for their reader. Master and command line.
//
// stderr is mostly a pipe to supervisord. When supervisord is frozen the pipe fills; then lines wait in a
// bounded buffer, and what does not fit is counted and said once the reader is back. So is what a file on a
// full disk does not take.
#pragma once

#include "common/log/log_line.h"

#include <chrono>
#include <functional>
#include <spdlog/fmt/fmt.h>
#include <string_view>

namespace healthcheckd::log {

using Level = LogLevel;

// How much waits at most while the reader does not read.
inline constexpr std::size_t kBufferBytes = 256 * 1024;

// Starts logging to a descriptor of its own for `fd`'s file. Before it, lines are dropped.
void start(int fd, Level level);

// Lines from now on; they are text before.
void set_format(LogFormat format);

// The descriptor that lines go to, for a writability watch; -1 before start().
int descriptor();

// Lines that could not be written yet.
bool pending();

// Called when lines begin to wait: the loop then calls flush() whenever descriptor() is writable.
void on_blocked(std::function<void()> callback);

// Writes what waits, as far as it goes without waiting.
void flush();

// At the end of the process: writes what waits, for at most `limit`, and forgets the callback.
void finish(std::chrono::milliseconds limit);

// Writes one line (log_line.h). Control characters are escaped, in `who` too: the names of programs are
// supervisord's.
void write(Level level, std::string_view who, std::string_view text, LogFields fields = {});
bool enabled(Level level);

template <class... Args>
void debug(std::string_view who, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::debug))
        write(Level::debug, who, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args> void info(std::string_view who, fmt::format_string<Args...> format, Args&&... args) {
    write(Level::info, who, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(std::string_view who, fmt::format_string<Args...> format, Args&&... args) {
    write(Level::warning, who, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view who, fmt::format_string<Args...> format, Args&&... args) {
    write(Level::error, who, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace healthcheckd::log
