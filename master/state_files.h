// Files of stateDir, written by a short-lived child so that a disk which hangs holds up nobody. Master and
// state child.
#pragma once

#include "master/spawner.h"

#include <functional>
#include <map>
#include <string>

namespace healthcheckd::master {

class StateFiles {
public:
    // `on_end` is called for each file that was to be written, with an empty text or what failed.
    using OnEnd = std::function<void(const std::string& name, const std::string& failure)>;

    StateFiles(Spawner& spawner, std::string dir, OnEnd on_end)
        : spawner_(spawner), dir_(std::move(dir)), on_end_(std::move(on_end)) {}

    // Replaces `dir`/`name` by `text` atomically and durably (common/durable_file), readable by everybody or,
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

    void begin();
    void finish(const std::string& failure);

    Spawner& spawner_;
    std::string dir_;
    OnEnd on_end_;
    Files waiting_;
    Files writing_;
    UniqueFd report_;  // the child's word waits in the pipe until it has ended
};

}  // namespace healthcheckd::master
