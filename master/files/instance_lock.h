// Only one healthcheckd at a time with the same stateDir or socket: two would carry out every action twice.
// Master, and its short-lived child.
//
// A record lock of fcntl(2) belongs to the master alone: no child inherits it, the kernel releases it at the
// master's end however that comes, and tells who holds it. The files are opened by a child, as a disk that
// hangs must not hold up the start.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "master/process/loop.h"
#include "master/process/spawner.h"

#include <functional>
#include <string>
#include <vector>

namespace healthcheckd::master {

class InstanceLock {
public:
    // How long the end of another healthcheckd is waited for: under supervisord it may take 3 s to stop.
    static constexpr Milliseconds kPatience{5'000};

    InstanceLock(Loop& loop, Spawner& spawner);

    // Locks `state_dir` and the socket, by a file in the folder of each, for as long as this object lives.
    // `done` is called once, from the loop: with an error that says who holds a lock when that does not end
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

    void on_opened(UniqueFd answers, const ChildEnd& end);
    void attempt();

    Spawner& spawner_;
    Timer retry_;
    TimePoint until_{};
    std::vector<File> files_;
    std::function<void(Result<void>)> done_;
};

}  // namespace healthcheckd::master
