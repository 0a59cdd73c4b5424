#include "master/files/instance_lock.h"

#include "common/log/log.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_task.h"
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
    : loop_(loop), spawner_(spawner), look_(loop, spawner), retry_(loop, [this] { attempt(); }) {}

void InstanceLock::take(const std::string& state_dir, const std::string& socket,
                        std::function<void(Result<void>)> done) {
    done_ = std::move(done);
    socket_ = socket;
    files_.emplace_back(loop_, spawner_, state_dir + "/healthcheckd.lock", "stateDir " + state_dir);
    files_.emplace_back(loop_, spawner_, socket + ".lock", "socket " + socket);
    opening_ = files_.size();
    for (File& file : files_)
        open(file);
}

void InstanceLock::open(File& file) {
    ChildSpec spec(children::kLocks);
    spec.main = [path = file.path](pid_t) {
        return run_open_lock(path);
    };
    const auto started = file.task.start(spec, {.limit = children::kLocks.limit},
                                         {.on_end = [this, &file](const std::optional<ChildEnd>& end) {
                                             on_opened(file, end);
                                         }});
    if (started) {
        file.answer = file.task.take_control();
        return;
    }
    leave_unlocked(file, "no process could be started: " + started.error().text());
    one_is_over();
}

void InstanceLock::on_opened(File& file, const std::optional<ChildEnd>& end) {
    const bool hung = !end || WIFSIGNALED(end->wait_status);
    std::string why = hung ? "its disk does not answer (" + file.task.failure() + ")" : file.task.failure();
    const UniqueFd answer = std::move(file.answer);
    auto packet = receive_packet_now(answer.get());
    if (packet && *packet) {
        LockLine line;
        why = decode((*packet)->line, line) ? line.message : "its child is not understood";
        file.fd = std::move((*packet)->attached);
    }
    if (!file.fd)
        leave_unlocked(file, why);
    one_is_over();
}

void InstanceLock::one_is_over() {
    if (--opening_ > 0)
        return;
    until_ = Clock::now() + kPatience;
    attempt();
}

void InstanceLock::leave_unlocked(File& file, const std::string& why) {
    log::warning("", "another healthcheckd with the same {} would not be noticed: {}", file.protects, why);
    file.fd.reset();
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
            leave_unlocked(file, system_error("lock " + file.path).text());
            continue;
        }
        if (Clock::now() < until_)
            return retry_.start(kRetry);
        const pid_t holder = holder_of(file.fd);
        return finish(Error{fmt::format(
            "another healthcheckd ({}) has the {}: each needs its own stateDir and socket",
            holder > 0 ? "pid " + std::to_string(holder) : "in another pid namespace", file.protects)});
    }
    if (std::ranges::all_of(files_, [](const File& file) { return file.held; }))
        return finish({});
    look_at_socket();
}

// Whoever had a lock that cannot be taken here serves healthcheckctl, unless it has another socket.
void InstanceLock::look_at_socket() {
    ChildSpec spec(children::kLocks);
    spec.main = [socket = socket_](pid_t) {
        return run_look_at_socket(socket);
    };
    const auto on_end = [this](const std::optional<ChildEnd>& end) {
        if (end && end->is_exit(kSomebodyListens))
            return finish(
                Error{"another healthcheckd answers at " + socket_ +
                      ", and not all locks could be taken: each needs its own stateDir and socket"});
        finish({});
    };
    if (!look_.start(spec, {.limit = children::kLocks.limit}, {.on_end = on_end}))
        finish({});
}

}  // namespace healthcheckd::master
