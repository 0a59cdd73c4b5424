// Reads a child's lines with limits, and stops believing one that breaks them. Master.
//
// What children write is gossip: a line that is too long, a flood, or an end of file within a line tells
// about the child, not about the program it watches. The reader says so once and reads no more; its owner
// ends the child.
#pragma once

#include "common/system/unique_fd.h"
#include "common/wire/line_codec.h"
#include "master/process/fd_group.h"

#include <functional>
#include <string>
#include <string_view>

namespace healthcheckd::master {

// How many of something came within a second.
class SecondCount {
public:
    // Counts one more and returns how many that makes in this second.
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

    // `on_line` gets each line without its newline; `on_trouble` what was wrong, once. Neither may destroy
    // the reader: a reader that is to be heard no more is told stop(). The pipe must be non-blocking.
    ReportReader(FdGroup& group, UniqueFd pipe, Limits limits, std::function<void(std::string_view)> on_line,
                 std::function<void(std::string_view)> on_trouble);
    ReportReader(const ReportReader&) = delete;
    ReportReader& operator=(const ReportReader&) = delete;

    // Takes what is still in the pipe of a child that has ended.
    void drain() { on_readable(); }

    // No callback comes any more.
    void stop();

private:
    void on_readable();
    void take(std::string_view bytes);
    void trouble(std::string_view what);

    UniqueFd pipe_;
    Limits limits_;
    std::function<void(std::string_view)> on_line_;
    std::function<void(std::string_view)> on_trouble_;
    std::string partial_;  // the begin of a line whose end has not come yet, under kMaxLine bytes
    SecondCount lines_;
    bool stopped_ = false;
    FdGroup::Member watch_;
};

}  // namespace healthcheckd::master
