// Prevents two daemons with the same stateDir or socket, which would run every action twice. Master.
//
// The locks are record locks of fcntl(2): they belong to the master alone, are not inherited, are released by
// the kernel however the master ends, and show who holds them. A child opens the files, since a disk that
// hangs must not delay the start.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "master/process/task.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

class InstanceLock {
public:
    // How long to wait for another healthcheckd to end: under supervisord it may take 3 s to stop.
    static constexpr Milliseconds kPatience{5'000};

    InstanceLock(Loop& loop, Spawner& spawner);

    // Locks `state_dir` and the socket, by a file in the folder of each, for the lifetime of this object.
    // Calls `done` once, from the loop: with an error that names the holder when a lock is not released
    // within kPatience. A file that cannot be opened is logged and left unlocked.
    void take(const std::string& state_dir, const std::string& socket,
              std::function<void(Result<void>)> done);

private:
    struct File {
        std::string path;
        std::string protects;  // for people
        UniqueFd fd;           // empty: cannot be locked
        bool held = false;
    };

    void on_opened(const std::optional<ChildEnd>& end);
    void attempt();

    Task task_;
    UniqueFd answers_;  // of the child, in packets
    Timer retry_;
    TimePoint until_{};
    std::vector<File> files_;
    std::function<void(Result<void>)> done_;
};

}  // namespace healthcheckd::master
