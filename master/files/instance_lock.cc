#include "master/files/instance_lock.h"

#include "common/log/log.h"
#include "common/wire/channel.h"
#include "common/wire/protocol.h"
#include "master/files/lock_child.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/wait.h>
#include <utility>

namespace healthcheckd::master {

namespace {

constexpr Milliseconds kRetry{100};
struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

// Returns the pid of the holder; 0: a process in another pid namespace, or on another machine.
pid_t holder_of(const UniqueFd& file) {
    struct flock lock = whole_file();
    return ::fcntl(file.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? std::max(lock.l_pid, 0) : 0;
}

}  // namespace

InstanceLock::InstanceLock(Loop& loop, Spawner& spawner)
    : task_(loop, spawner), retry_(loop, [this] { attempt(); }) {}

void InstanceLock::take(const std::string& state_dir, const std::string& socket,
                        std::function<void(Result<void>)> done) {
    done_ = std::move(done);
    files_.push_back({state_dir + "/healthcheckd.lock", "stateDir " + state_dir, {}});
    files_.push_back({socket + ".lock", "socket " + socket, {}});
    ChildSpec spec(children::kLocks);
    spec.main = [paths = std::vector{files_[0].path, files_[1].path}](pid_t) {
        return run_open_locks(paths);
    };
    const auto started = task_.start(spec, {.limit = children::kLocks.limit},
                                     {.on_end = [this](const std::optional<ChildEnd>& end) {
                                         on_opened(end);
                                     }});
    if (!started) {
        log::warning("", "another healthcheckd would not be noticed: no process could be started: {}",
                     started.error().text());
        return std::exchange(done_, {})({});
    }
    answers_ = task_.take_control();
}

void InstanceLock::on_opened(const std::optional<ChildEnd>& end) {
    const bool hung = !end || WIFSIGNALED(end->wait_status);
    const UniqueFd answers = std::move(answers_);
    for (File& file : files_) {
        auto packet = receive_packet_now(answers.get());
        std::string why = hung ? "its disk does not answer (" + task_.failure() + ")" : task_.failure();
        if (packet && *packet) {
            LockLine line;
            why = decode((*packet)->line, line) ? line.message : "its child is not understood";
            file.fd = std::move((*packet)->attached);
        }
        if (!file.fd)
            log::warning("", "another healthcheckd with the same {} would not be noticed: {}", file.protects,
                         why);
    }
    until_ = Clock::now() + kPatience;
    attempt();
}

void InstanceLock::attempt() {
    for (File& file : files_) {
        if (!file.fd || file.held)
            continue;
        const struct flock lock = whole_file();
        if (::fcntl(file.fd.get(), F_SETLK, &lock) == 0) {
            file.held = true;
            continue;
        }
        if (errno != EACCES && errno != EAGAIN) {
            log::warning("", "another healthcheckd with the same {} would not be noticed: {}", file.protects,
                         system_error("lock " + file.path).text());
            file.fd.reset();
            continue;
        }
        if (Clock::now() < until_) {
            retry_.start(kRetry);
            return;
        }
        const pid_t holder = holder_of(file.fd);
        return std::exchange(done_, {})(Error{fmt::format(
            "another healthcheckd ({}) has the {}: each needs its own stateDir and socket",
            holder > 0 ? "pid " + std::to_string(holder) : "in another pid namespace", file.protects)});
    }
    std::exchange(done_, {})({});
}

}  // namespace healthcheckd::master
