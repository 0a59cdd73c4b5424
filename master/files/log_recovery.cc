#include "master/files/log_recovery.h"

#include "common/log/log.h"

#include <algorithm>

namespace healthcheckd::master {

LogRecovery::LogRecovery(Loop& loop, Spawner& spawner)
    : timer_(loop, [this] { begin(); }), task_(loop, spawner, [this] { timer_.start(Milliseconds(0)); }) {}

void LogRecovery::add(Id id, Worker worker) {
    workers_[id] = std::move(worker);
    if (!task_.running())
        timer_.start(pause_);
}

// Logs of removed cats stay in the set; they are few.
void LogRecovery::doubt(const std::string& path) {
    if (doubted_.size() >= kMostDoubted)
        doubted_.clear();
    doubted_.insert(path);
}

std::shared_ptr<std::size_t> LogRecovery::corpses(const std::string& cat) {
    std::erase_if(corpses_, [](const auto& entry) { return entry.second.expired(); });
    auto count = corpses_[cat].lock();
    if (!count)
        corpses_[cat] = count = std::make_shared<std::size_t>(0);
    return count;
}

void LogRecovery::look_soon() {
    pause_ = kFirstPause;
    if (!task_.running())
        timer_.start(kSoon);
}

void LogRecovery::begin() {
    // The end of one that hangs begins the next.
    if (task_.running() || task_.left_behind() > 0 || workers_.empty())
        return;
    std::vector<LogFile> files;
    std::map<Id, std::uint64_t> handed;  // and to which worker
    const auto take = [&](const auto& entry) {
        const auto& [id, worker] = entry;
        LogFile file = worker.file();
        if (file.control < 0 || (one_by_one_ && !files.empty()))
            return;
        handed[id] = worker.worker_id();
        files.push_back(std::move(file));
        last_ = id;
    };
    const auto next = workers_.upper_bound(last_);
    std::for_each(next, workers_.end(), take);
    std::for_each(workers_.begin(), next, take);
    if (files.empty())
        return timer_.start(kFirstPause);
    const bool started = renew_logs(
        task_, std::move(files), std::nullopt,
        [this, handed](const std::string& failure) {
            log::debug("", "logs that hung were tried: {}", failure.empty() ? "well" : failure);
            on_end(handed, failure.empty());
        },
        kLimit);
    if (!started)
        timer_.start(kFirstPause);
}

void LogRecovery::on_end(const std::map<Id, std::uint64_t>& handed, bool ok) {
    for (const auto& [id, worker_id] : handed) {
        const auto found = workers_.find(id);
        // A worker that was replaced meanwhile did not get it.
        if (!ok || found == workers_.end() || found->second.worker_id() != worker_id)
            continue;
        const auto on_recovered = std::move(found->second.on_recovered);
        workers_.erase(found);
        on_recovered();
    }
    one_by_one_ = !ok;
    pause_ = ok ? kFirstPause : std::min(kMostPause, pause_ * 2);
    if (!workers_.empty())
        timer_.start(pause_);
}

}  // namespace healthcheckd::master
