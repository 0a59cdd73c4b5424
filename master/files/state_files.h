// Writes files in stateDir through a short-lived child, so that a disk that hangs delays nobody. Master.
//
// A child that the disk blocks is killed after kLimit and, if that does not end it, abandoned (Task). After
// kMostLeft have been abandoned, files wait until one of these children has ended.
#pragma once

#include "master/files/state_child.h"
#include "master/process/task.h"

#include <functional>
#include <set>
#include <string>

namespace healthcheckd::master {

class StateFiles {
public:
    // `on_end` is called for each file, with "" or the description of what failed.
    using OnEnd = std::function<void(const std::string& name, const std::string& failure)>;

    StateFiles(Loop& loop, Spawner& spawner, std::string dir, OnEnd on_end);

    // Replaces `dir`/`name` by `text` atomically and durably (durable_file.h), readable by everybody or,
    // with `mode` 0600, by the owner alone. One child at a time: files that come meanwhile are written after
    // it, the latest text of each. `keep_as`: see StateText.
    void write(const std::string& name, std::string text, mode_t mode = 0644, std::string keep_as = {});

    // Returns whether all files have been written.
    bool idle() const { return writing_.empty() && waiting_.empty(); }
    // Returns the names of the others.
    std::set<std::string> unwritten() const;

private:
    static constexpr Milliseconds kLimit{10'000};
    static constexpr Milliseconds kEndLimit{1'000};  // from SIGKILL to the child's end
    static constexpr std::size_t kMostLeft = 2;

    void begin();
    void finish(const std::string& failure);

    std::string dir_;
    OnEnd on_end_;
    StateTexts waiting_;
    StateTexts writing_;
    Task task_;
};

}  // namespace healthcheckd::master
