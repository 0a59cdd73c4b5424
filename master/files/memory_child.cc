#include "master/files/memory_child.h"

#include "common/system/unique_fd.h"
#include "master/files/memory.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace healthcheckd::master {

std::optional<std::string> read_all_memory(int fd) {
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

int run_load_memory(const std::string& path, int memory) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file)
        return errno == ENOENT ? kMemoryNone : kMemoryUnreadable;
    const auto text = read_all_memory(file.get());
    if (!text)
        return kMemoryUnreadable;
    // Parsed here, so that the master never parses a damaged file.
    if (!decode_memory(*text))
        return ::rename(path.c_str(), (path + kAside).c_str()) == 0 ? kMemoryDamaged : kMemoryUnreadable;
    for (std::size_t at = 0; at < text->size();) {
        const ssize_t n = ::write(memory, text->data() + at, text->size() - at);
        if (n <= 0)
            return kMemoryUnreadable;
        at += static_cast<std::size_t>(n);
    }
    return kMemoryRead;
}

}  // namespace healthcheckd::master
