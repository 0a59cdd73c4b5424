// Gives workers that run without a log, because writing it seemed to hang, a log again once a
// write has succeeded. Master.
//
// A child writes a line to each of their logs before it passes the file on: when a process that hung in a
// write has ended, which shows that the disk is back, and at intervals. One child at a time; one that hangs
// is waited for, since its end shows that the disk is back.
#pragma once

#include "master/files/log_files.h"
#include "master/process/task.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace healthcheckd::master {

class LogRecovery {
public:
    struct Worker {
        // Returns the log file at the time of the call; without a socket there is no worker to pass it to.
        std::function<LogFile()> file;
        std::function<std::uint64_t()> worker_id;  // identifies the worker: another number for another worker
        std::function<void()> on_recovered;        // the file has been passed on
    };
    using Id = const void*;  // the address of the caller

    LogRecovery(Loop& loop, Spawner& spawner);

    // Registers a worker, until its log has been passed on or remove() is called.
    void add(Id id, Worker worker);
    void remove(Id id) { workers_.erase(id); }

    // What is known of a log and of a cat independently of the Cat object, which a reload replaces: writing
    // the log `path` hung, and no write has succeeded since.
    bool doubted(const std::string& path) const { return doubted_.contains(path); }
    void doubt(const std::string& path);
    void trust(const std::string& path) { doubted_.erase(path); }
    // Returns the number of workers of the cat that hang in the kernel and cannot be ended; the
    // callers keep it up to date.
    std::shared_ptr<std::size_t> corpses(const std::string& cat);

    // Tries soon: the disk may be back.
    void look_soon();
    // Expires with this object.
    const std::shared_ptr<bool>& alive() const { return alive_; }

private:
    static constexpr Milliseconds kFirstPause{5'000};
    static constexpr Milliseconds kMostPause{60'000};
    static constexpr Milliseconds kSoon{200};
    static constexpr Milliseconds kLimit{5'000};  // for a child that writes
    static constexpr std::size_t kMostDoubted = 20'000;

    void begin();
    void on_end(const std::map<Id, std::uint64_t>& handed, bool ok);

    std::map<Id, Worker> workers_;
    std::set<std::string> doubted_;
    std::map<std::string, std::weak_ptr<std::size_t>> corpses_;  // by cat
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    bool one_by_one_ = false;  // after a failure: one bad log must not keep the others away
    Id last_ = nullptr;        // the worker that was served last
    Milliseconds pause_{kFirstPause};
    Timer timer_;
    Task task_;  // the child that writes
};

}  // namespace healthcheckd::master
