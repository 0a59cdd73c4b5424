// The log of a cat's worker: doubted when writing it may hang, trusted again after a successful
// write, and rotated. Master.
#include "common/config/log_path.h"
#include "common/log/log.h"
#include "master/cat/worker.h"
#include "master/files/log_files.h"

#include <utility>

namespace healthcheckd::master {

void Worker::doubt_log() {
    if (!logs_ || identity_.config->log_dir.empty())
        return;
    logs_ = false;
    log::warning(
        identity_.who(),
        "its log seems to hang, or what it loads at its start; it goes on without a log until {} can be "
        "written",
        worker_log_path(*identity_.config, identity_.name));
    context_.logs.doubt(worker_log_path(*identity_.config, identity_.name));
    await_log();
}

void Worker::await_log() {
    const auto file = [this] {
        LogClock clock;
        const std::string line = log_line(clock, identity_.config->log_format, LogLevel::info,
                                          identity_.who(), "this log can be written again");
        return LogFile{worker_log_path(*identity_.config, identity_.name), child_.ready() ? control() : -1,
                       line};
    };
    const auto worker_id = [this] {
        return child_.starts();
    };
    context_.logs.add(this, {file, worker_id, [this] {
                                 logs_ = true;
                                 context_.logs.trust(worker_log_path(*identity_.config, identity_.name));
                                 log::info(identity_.who(), "its log is written again");
                             }});
}

// Limits the rate, however often a worker asks: each rotation starts a process, and pushes out old lines.
void Worker::on_rotate_request() {
    if (!std::exchange(rotation_due_, true))
        rotation_.start_at(std::max(Clock::now(), rotated_at_ + kRotationPause));
}

void Worker::rotate_log() {
    rotation_due_ = false;
    if (rotating_.running() || child_.pid() == 0)
        return;
    // The disk hangs: another child would hang as well.
    if (rotating_.left_behind() > 0) {
        rotation_due_ = true;
        return rotation_.start(kRotationPause);
    }
    // Not during a probe, whose verdict would be lost.
    if (probing_ && rotations_->used_up()) {
        rotation_due_ = true;
        return rotation_.start(Milliseconds(200));
    }
    // If the log really is that large, this happens once in several weeks.
    if (!rotations_->take()) {
        child_.replace(
            "its log was rotated as often as is granted to one worker, which may keep old logs open");
        return;
    }
    rotated_at_ = Clock::now();
    const LogFile file{worker_log_path(*identity_.config, identity_.name), control(), {}};
    const Rotation rotation{identity_.config->log_backups, identity_.config->log_max_bytes};
    const bool started = renew_logs(rotating_, {file}, rotation,
                                    [limit = rotations_, who = identity_.who()](const std::string& failure) {
                                        if (failure.empty())
                                            return;
                                        limit->give_back();
                                        log::warning(who, "its log file could not be renewed: {}", failure);
                                    });
    if (!started)
        rotations_->give_back();
}

}  // namespace healthcheckd::master
