// Files of stateDir, written by a short-lived child so that a disk which hangs holds up nobody. Master and
// state child.
//
// A child that the disk holds up is ended after kLimit, and left behind when that does not end it (state D).
// When kMostLeft have been left, what is to be written waits until one of them is gone.
#pragma once

#include "master/process/spawner.h"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace healthcheckd::master {

class StateFiles {
public:
    // `on_end` is called for each file that was to be written, with an empty text or what failed.
    using OnEnd = std::function<void(const std::string& name, const std::string& failure)>;

    StateFiles(Loop& loop, Spawner& spawner, std::string dir, OnEnd on_end);
    ~StateFiles();

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
    void on_late();
    void on_child_end(const ChildEnd& end);
    void finish(const std::string& failure);

    Spawner& spawner_;
    std::string dir_;
    OnEnd on_end_;
    Files waiting_;
    Files writing_;
    pid_t pid_ = 0;
    bool late_ = false;     // it has been killed for that
    std::set<pid_t> left_;  // children that did not end
    Timer deadline_;
    UniqueFd report_;  // the child's word waits in the pipe until it has ended
};

}  // namespace healthcheckd::master
