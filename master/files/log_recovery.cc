#include "master/files/log_recovery.h"

#include "common/log/log.h"

#include <algorithm>

namespace healthcheckd::master {

LogRecovery::LogRecovery(Loop& loop, Spawner& spawner)
    : loop_(loop), spawner_(spawner), timer_(loop, [this] { begin(); }) {}

void LogRecovery::add(Id id, Worker worker) {
    workers_[id] = std::move(worker);
    if (!writing_)
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
    if (!writing_)
        timer_.start(kSoon);
}

void LogRecovery::begin() {
    if (writing_ || workers_.empty())
        return;
    if (child_ != 0 && spawner_.is_child(child_))
        return timer_.start(kCorpsePause);
    std::vector<LogFile> files;
    std::map<Id, std::uint64_t> handed;  // and to which worker
    const auto take = [&](const auto& entry) {
        const auto& [id, worker] = entry;
        LogFile file = worker.file();
        if (file.control < 0 || (one_by_one_ && !files.empty()))
            return;
        handed[id] = worker.life();
        files.push_back(std::move(file));
        last_ = id;
    };
    const auto next = workers_.upper_bound(last_);
    std::for_each(next, workers_.end(), take);
    std::for_each(workers_.begin(), next, take);
    if (files.empty())
        return timer_.start(kFirstPause);
    child_ = renew_logs(
        spawner_, std::move(files), std::nullopt,
        [this, handed, alive = std::weak_ptr(alive_)](const std::string& failure) {
            log::debug("", "logs that hung were tried: {}", failure.empty() ? "well" : failure);
            if (!alive.expired())
                on_end(handed, failure.empty());
        },
        kLimit);
    writing_ = child_ != 0;
    if (!writing_)
        timer_.start(kFirstPause);
}

void LogRecovery::on_end(const std::map<Id, std::uint64_t>& handed, bool ok) {
    writing_ = false;
    for (const auto& [id, life] : handed) {
        const auto found = workers_.find(id);
        // A worker that was replaced meanwhile did not get it.
        if (!ok || found == workers_.end() || found->second.life() != life)
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
