// Prevents two daemons with the same stateDir or socket, which would run every action twice. Master.
//
// The locks are record locks of fcntl(2): they belong to the master alone, are not inherited, are released by
// the kernel however the master ends, and show who holds them. A child for each opens the files, since a disk
// that hangs must neither delay the start for long nor take the other lock away.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "master/process/task.h"

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <utility>

namespace healthcheckd::master {

class InstanceLock {
public:
    // How long to wait for another healthcheckd to end: under supervisord it may take 3 s to stop.
    static constexpr Milliseconds kPatience{5'000};

    InstanceLock(Loop& loop, Spawner& spawner);

    // Locks `state_dir` and the socket, by a file in the folder of each, for the lifetime of this object.
    // Calls `done` once, from the loop, or before this returns when no process can be started: with an error that
    // names the holder when a lock is not released within kPatience. A file that cannot be locked is logged; then it is
    // an error too when somebody listens at the socket.
    void take(const std::string& state_dir, const std::string& socket,
              std::function<void(Result<void>)> done);

private:
    struct File {
        File(Loop& loop, Spawner& spawner, std::string its_path, std::string whom)
            : path(std::move(its_path)), protects(std::move(whom)), task(loop, spawner) {}

        std::string path;
        std::string protects;  // for people
        Task task;             // opens it
        UniqueFd answer;       // of the child, in a packet
        UniqueFd fd;           // empty: cannot be locked
        bool held = false;
    };

    void open(File& file);
    void on_opened(File& file, const std::optional<ChildEnd>& end);
    void one_is_over();
    void leave_unlocked(File& file, const std::string& why);
    void attempt();
    void look_at_socket();
    void finish(const Result<void>& result) { std::exchange(done_, {})(result); }

    Loop& loop_;
    Spawner& spawner_;
    std::string socket_;
    std::list<File> files_;
    std::size_t opening_ = 0;  // files
    Task look_;                // at the socket
    Timer retry_;
    TimePoint until_{};
    std::function<void(Result<void>)> done_;
};

}  // namespace healthcheckd::master
