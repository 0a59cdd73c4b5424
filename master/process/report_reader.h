// Reads a child's lines with limits, and stops reading at the first violation. Master.
//
// Children are not trusted: a line that is too long, too many lines, or an end of file within a line says
// something about the child, not about the program it watches. The reader reports the violation once and
// stops; its owner ends the child.
#pragma once

#include "common/system/unique_fd.h"
#include "common/wire/line_codec.h"
#include "master/process/fd_group.h"

#include <functional>
#include <string>
#include <string_view>

namespace healthcheckd::master {

// Counts events per second.
class SecondCount {
public:
    // Counts one event and returns the number of events in the current second.
    std::size_t add(TimePoint now) {
        if (now - began_ >= std::chrono::seconds(1)) {
            began_ = now;
            count_ = 0;
        }
        return ++count_;
    }

private:
    TimePoint began_{};
    std::size_t count_ = 0;
};

class ReportReader {
public:
    struct Limits {
        std::size_t lines_per_second = 100;
    };

    // `on_line` gets each line without its newline; `on_trouble` gets a violation, once. Neither may destroy
    // the reader: call stop() instead. The pipe must be non-blocking.
    ReportReader(FdGroup& group, UniqueFd pipe, Limits limits, std::function<void(std::string_view)> on_line,
                 std::function<void(std::string_view)> on_trouble);
    ReportReader(const ReportReader&) = delete;
    ReportReader& operator=(const ReportReader&) = delete;

    // Reads what is left in the pipe of a child that has ended.
    void drain() { on_readable(); }

    // Disables all callbacks for good.
    void stop();

private:
    void on_readable();
    void take(std::string_view bytes);
    void trouble(std::string_view what);

    UniqueFd pipe_;
    Limits limits_;
    std::function<void(std::string_view)> on_line_;
    std::function<void(std::string_view)> on_trouble_;
    std::string partial_;  // the beginning of an incomplete line, shorter than kMaxLine
    SecondCount lines_;
    bool stopped_ = false;
    FdGroup::Member watch_;
};

}  // namespace healthcheckd::master
