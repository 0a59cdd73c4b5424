// Stream sockets of the file system: unix(7). Every process.
#pragma once

#include "common/system/unique_fd.h"

#include <cerrno>
#include <cstddef>
#include <string_view>
#include <sys/un.h>

namespace healthcheckd {

// The longest path that a socket's address holds, without the final zero byte.
inline constexpr std::size_t kMostSocketPathBytes = sizeof(sockaddr_un::sun_path) - 1;

// Returns the address of `path`, which is cut after kMostSocketPathBytes.
sockaddr_un unix_address(std::string_view path);

// Returns a socket that does not block; empty on failure, with errno.
UniqueFd make_unix_socket();

// Connects `socket` to `path`. Returns 0 or the errno: EAGAIN when a process listens and its backlog is full, ECONNREFUSED
// when nobody listens.
int connect_unix(const UniqueFd& socket, std::string_view path);

// Returns whether `error`, of connect_unix(), says that a process listens.
constexpr bool somebody_listens(int error) {
    return error == 0 || error == EAGAIN;
}

}  // namespace healthcheckd
