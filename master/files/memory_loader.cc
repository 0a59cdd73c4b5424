#include "master/files/memory_loader.h"

#include "common/log/log.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <sys/mman.h>

namespace healthcheckd::master {

namespace {

constexpr char kAside[] = ".damaged";

// The child's result, as its exit status.
enum Outcome { kRead = 0, kNone = 10, kDamaged = 11, kUnreadable = 12 };

// Returns the contents of `fd` from its beginning; nullopt when it is larger than
// kMostMemoryBytes, or on an error.
std::optional<std::string> read_all(int fd) {
    std::string text;
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || text.size() + static_cast<std::size_t>(n) > kMostMemoryBytes)
            return std::nullopt;
        if (n == 0)
            return text;
        text.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

int read_into(const std::string& path, int memory) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file)
        return errno == ENOENT ? kNone : kUnreadable;
    const auto text = read_all(file.get());
    if (!text)
        return kUnreadable;
    // Parsed here, so that the master never parses a damaged file.
    if (!decode_memory(*text))
        return ::rename(path.c_str(), (path + kAside).c_str()) == 0 ? kDamaged : kUnreadable;
    for (std::size_t at = 0; at < text->size();) {
        const ssize_t n = ::write(memory, text->data() + at, text->size() - at);
        if (n <= 0)
            return kUnreadable;
        at += static_cast<std::size_t>(n);
    }
    return kRead;
}

void tell(const std::optional<ChildEnd>& end, const std::string& failure, const std::string& path) {
    if (end && end->is_exit(kDamaged))
        log::error(
            "state",
            "{} is damaged, or of another version of healthcheckd, and was put aside as {}{}; counts start "
            "afresh, nothing is paused",
            path, path, kAside);
    else if (!end || !end->is_exit(kNone))
        log::error("state", "{} could not be read ({}); counts start afresh", path,
                   end && end->is_exit(kUnreadable) ? "see its permissions, its size and its disk" : failure);
}

}  // namespace

void load_memory(Task& task, const std::string& state_dir, std::function<void(Memory)> done) {
    const std::string path = state_dir + '/' + kMemoryFile;
    auto memory = std::make_shared<UniqueFd>(::memfd_create("memory", MFD_CLOEXEC));
    ChildSpec spec(children::kMemory);
    spec.extra_fds = {memory->get()};
    spec.main = [path](pid_t) {
        return read_into(path, kFirstExtraFd);
    };
    const auto on_end = [&task, path, memory, done](const std::optional<ChildEnd>& end) {
        if (!task.failure().empty()) {
            tell(end, task.failure(), path);
            return done({});
        }
        const auto text = read_all(memory->get());
        auto decoded = text ? decode_memory(*text) : Error{"it cannot be read"};
        if (!decoded)
            log::error("state", "{}: {}; counts start afresh", path, decoded.error().text());
        done(decoded ? std::move(*decoded) : Memory{});
    };
    if (!*memory || !task.start(spec, {.limit = children::kMemory.limit}, {.on_end = on_end})) {
        log::error("state", "{} could not be read: no process could be started", path);
        done({});
    }
}

}  // namespace healthcheckd::master
