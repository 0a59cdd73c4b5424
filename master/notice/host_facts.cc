#include "master/notice/host_facts.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <vector>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxAddresses = 8;

// Returns "" for an address that is meaningless on other machines.
std::string address_text(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* bytes = nullptr;
    if (address != nullptr && address->sa_family == AF_INET) {
        bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    } else if (address != nullptr && address->sa_family == AF_INET6) {
        const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
        if (!IN6_IS_ADDR_LINKLOCAL(&v6))
            bytes = &v6;
    }
    if (bytes == nullptr || ::inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr)
        return {};
    return text.data();
}

}  // namespace

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0')
        return "localhost";
    return name.data();
}

std::string host_addresses() {
    ifaddrs* raw = nullptr;
    if (::getifaddrs(&raw) != 0)
        return "none";
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(raw, &::freeifaddrs);
    std::vector<std::string> all;
    for (const ifaddrs* entry = list.get(); entry != nullptr && all.size() < kMaxAddresses;
         entry = entry->ifa_next) {
        if ((entry->ifa_flags & IFF_LOOPBACK) != 0 || (entry->ifa_flags & IFF_UP) == 0)
            continue;
        const std::string text = address_text(entry->ifa_addr);
        if (!text.empty() && std::ranges::find(all, text) == all.end())
            all.push_back(text);
    }
    std::string out;
    for (const std::string& text : all)
        out += (out.empty() ? "" : ", ") + text;
    return out.empty() ? "none" : out;
}

std::string host_platform() {
    utsname names{};
    if (::uname(&names) != 0)
        return "unknown";
    return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

}  // namespace healthcheckd::master
