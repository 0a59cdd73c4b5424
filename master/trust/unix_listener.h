// Which socket listens at a file, as the kernel knows it: without connecting, which a listener that is frozen
// or busy would not accept, and which fills its queue. Action.
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace healthcheckd::master {

struct UnixListener {
    std::uint32_t inode = 0;  // of the socket, as in "socket:[123]"
    uid_t uid = 0;            // who made it
};

// The listening unix socket that is bound to the file behind the descriptor `file` (O_PATH), by sock_diag(7).
// Nothing where there is none, where the kernel does not tell (no unix_diag, before Linux 5.3, a file system
// whose device numbers are not those of stat(2)), or more than one is. Looks at 100,000 sockets at most, and
// waits for the kernel for at most a second.
std::optional<UnixListener> listener_at(int file);

}  // namespace healthcheckd::master
