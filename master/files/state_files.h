// Files of stateDir, written by a short-lived child so that a disk which hangs holds up nobody. Master and
// state child.
//
// A child that the disk holds up is ended after kLimit, and left behind when that does not end it (Task).
// When kMostLeft have been left, what is to be written waits until one of them is gone.
#pragma once

#include "master/process/task.h"

#include <functional>
#include <map>
#include <string>

namespace healthcheckd::master {

class StateFiles {
public:
    // `on_end` is called for each file that was to be written, with an empty text or what failed.
    using OnEnd = std::function<void(const std::string& name, const std::string& failure)>;

    StateFiles(Loop& loop, Spawner& spawner, std::string dir, OnEnd on_end);

    // Replaces `dir`/`name` by `text` atomically and durably (durable_file.h), readable by everybody or,
    // with `mode` 0600, by the owner alone. One child at a time: what comes meanwhile is written after it, of
    // each file the latest text.
    void write(const std::string& name, std::string text, mode_t mode = 0644);

    // Is nothing left to write?
    bool idle() const { return writing_.empty() && waiting_.empty(); }

private:
    struct File {
        std::string text;
        mode_t mode;
    };
    using Files = std::map<std::string, File>;

    static constexpr Milliseconds kLimit{10'000};
    static constexpr Milliseconds kEndLimit{1'000};  // from SIGKILL to the child's end
    static constexpr std::size_t kMostLeft = 2;

    void begin();
    bool on_line(std::string_view text);
    void finish();

    std::string dir_;
    OnEnd on_end_;
    Files waiting_;
    Files writing_;
    std::string failure_;  // of what is being written; empty: none
    Task task_;
};

}  // namespace healthcheckd::master
