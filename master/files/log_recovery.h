// Workers that go without a log, as writing it seemed to hang, get one again once a write is known to work.
// Master.
//
// A child writes a line to each of their logs before it hands the file over: at the end of a process that
// hung in a write, which is when the disk is back, and every now and then. One child at a time; one that
// hangs is waited for, since its end is the news.
#pragma once

#include "master/files/log_files.h"
#include "master/process/loop.h"
#include "master/process/spawner.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace healthcheckd::master {

class LogRecovery {
public:
    struct Worker {
        std::function<LogFile()>
            file;  // as it is at the time; without a socket there is nobody to hand it to
        std::function<std::uint64_t()> life;  // another number when it is another worker
        std::function<void()> on_recovered;   // it has been handed over
    };
    using Id = const void*;  // of whoever asks: its address

    LogRecovery(Loop& loop, Spawner& spawner);

    // From now on, until it has been handed over or remove().
    void add(Id id, Worker worker);
    void remove(Id id) { workers_.erase(id); }

    // What is known of a log and of a cat beyond the life of who found it out, as a reload makes another one:
    // writing the log `path` hung, and no write has worked since.
    bool doubted(const std::string& path) const { return doubted_.contains(path); }
    void doubt(const std::string& path);
    void trust(const std::string& path) { doubted_.erase(path); }
    // How many workers of the cat hang in the kernel and cannot be ended; for whoever sees them begin and
    // end.
    std::shared_ptr<std::size_t> corpses(const std::string& cat);

    // The disk may be back.
    void look_soon();
    // Expires with this.
    const std::shared_ptr<bool>& alive() const { return alive_; }

private:
    static constexpr Milliseconds kFirstPause{5'000};
    static constexpr Milliseconds kMostPause{60'000};
    static constexpr Milliseconds kSoon{200};
    static constexpr Milliseconds kLimit{5'000};      // for a child that writes
    static constexpr Milliseconds kCorpsePause{500};  // between looks whether one that hung has ended
    static constexpr std::size_t kMostDoubted = 20'000;

    void begin();
    void on_end(const std::map<Id, std::uint64_t>& handed, bool ok);

    Loop& loop_;
    Spawner& spawner_;
    std::map<Id, Worker> workers_;
    std::set<std::string> doubted_;
    std::map<std::string, std::weak_ptr<std::size_t>> corpses_;  // by cat
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    bool writing_ = false;
    pid_t child_ = 0;          // the last one that wrote
    bool one_by_one_ = false;  // after a failure: what keeps one log away must not keep the others
    Id last_ = nullptr;        // whose turn it was
    Milliseconds pause_{kFirstPause};
    Timer timer_;
};

}  // namespace healthcheckd::master
