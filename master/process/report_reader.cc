#include "master/process/report_reader.h"

#include <array>

namespace healthcheckd::master {

ReportReader::ReportReader(FdGroup& group, UniqueFd pipe, Limits limits,
                           std::function<void(std::string_view)> on_line,
                           std::function<void(std::string_view)> on_trouble)
    : pipe_(std::move(pipe)), limits_(limits), on_line_(std::move(on_line)),
      on_trouble_(std::move(on_trouble)), watch_(group, pipe_.get(), [this] { on_readable(); }) {}

void ReportReader::on_readable() {
    if (stopped_)
        return;
    // One read() per iteration of the loop, so that a child that never stops writing cannot block it.
    std::array<char, 16 * kMaxLine> buffer;
    const ssize_t n = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            trouble("its pipe cannot be read");
        return;
    }
    if (n == 0) {
        // The end of the child is noticed when it is reaped: a descendant may hold the pipe open for longer.
        stop();
        return;
    }
    take({buffer.data(), static_cast<std::size_t>(n)});
}

void ReportReader::stop() {
    stopped_ = true;
    watch_.stop();
}

void ReportReader::take(std::string_view bytes) {
    while (!bytes.empty() && !stopped_) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        if (partial_.size() + part.size() >= kMaxLine) {
            trouble("it wrote a line of more than 4096 bytes");
            return;
        }
        if (end == std::string_view::npos) {
            partial_ += part;
            return;
        }
        const bool continued = !partial_.empty();
        if (continued)
            partial_ += part;
        if (lines_.add(Clock::now()) > limits_.lines_per_second) {
            trouble("it wrote more lines in a second than it may");
            return;
        }
        on_line_(continued ? std::string_view(partial_) : part);
        partial_.clear();
        bytes.remove_prefix(end + 1);
    }
}

void ReportReader::trouble(std::string_view what) {
    stop();
    on_trouble_(what);
}

}  // namespace healthcheckd::master
