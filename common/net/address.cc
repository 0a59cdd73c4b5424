#include "common/net/address.h"

#include <arpa/inet.h>
#include <array>

namespace healthcheckd {

bool is_numeric_address(const std::string& host) {
    std::array<char, sizeof(in6_addr)> ignored;
    return ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

std::string with_full_address(const std::string& host) {
    in_addr address{};
    std::array<char, INET_ADDRSTRLEN> text{};
    if (::inet_aton(host.c_str(), &address) == 0)
        return host;
    return ::inet_ntop(AF_INET, &address, text.data(), text.size());
}

}  // namespace healthcheckd
