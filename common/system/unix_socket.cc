#include "common/system/unix_socket.h"

#include <sys/socket.h>

namespace healthcheckd {

sockaddr_un unix_address(std::string_view path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, kMostSocketPathBytes);
    return address;
}

UniqueFd make_unix_socket() {
    return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int connect_unix(const UniqueFd& socket, std::string_view path) {
    const sockaddr_un address = unix_address(path);
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                                     : errno;
}

}  // namespace healthcheckd
