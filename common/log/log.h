// The log: lines to stderr, which never block on the reader. Master and command line.
//
// stderr is mostly a pipe to supervisord. When supervisord is frozen the pipe fills; then lines wait in a
// bounded buffer. Lines that do not fit are counted, and their number is logged when the reader is back. The
// same holds for a file on a full disk.
#pragma once

#include "common/log/log_line.h"

#include <chrono>
#include <functional>
#include <spdlog/fmt/fmt.h>
#include <string_view>

namespace healthcheckd::log {

using Level = LogLevel;

// Size of the buffer.
inline constexpr std::size_t kBufferBytes = 256 * 1024;

// Starts logging to a new descriptor for the file of `fd`. Lines before that are dropped.
void start(int fd, Level level);

// Sets the format of all lines from now on; the default is text.
void set_format(LogFormat format);

// The descriptor that lines are written to, for watching when it becomes writable; -1 before start().
int descriptor();

// Returns whether lines are waiting.
bool pending();

// `callback` is called when lines begin to wait; the loop must then call flush() whenever
// descriptor() is writable.
void on_blocked(std::function<void()> callback);

// Writes waiting lines as far as possible without blocking.
void flush();

// Called at the end of the process: writes waiting lines, with the timeout `limit`, and drops the callback.
void finish(std::chrono::milliseconds limit);

// Writes one line (log_line.h). Escapes control characters, also in `who`: names of programs come from
// supervisord.
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
