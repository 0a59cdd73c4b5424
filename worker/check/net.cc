#include "worker/check/net.h"

#include "common/net/resolver.h"
#include "worker/probe/tcp_connect.h"

namespace healthcheckd {

namespace {

constexpr rlim_t kNetworkDescriptors = 256;  // lookups that hang keep three each for some seconds

}  // namespace

std::string server_of(const CatConfig& cat) {
    const auto& server = cat.own<ServerAddress>();
    return ' ' + server.host + ' ' + std::to_string(server.port);
}

Scale time_scale(const CatConfig& cat) {
    return {"ms", static_cast<double>(cat.timeout.count())};
}

SandboxProfile network_profile(const CatConfig& cat) {
    const auto& server = cat.own<ServerAddress>();
    SandboxProfile profile;
    profile.name = cat.type->name;
    profile.inet = true;
    profile.tcp_ports = {static_cast<std::uint16_t>(server.port)};
    if (worker::is_address(server.host)) {
        // if_nametoindex(3) uses a datagram socket for the zone's interface.
        profile.datagrams = server.host.find('%') != std::string::npos;
        return profile;
    }
    profile.descriptors = kNetworkDescriptors;
    profile.threads = true;  // names are resolved in one
    profile.datagrams = true;
    profile.open_files = true;
    profile.readable = resolver_files();
    profile.tcp_ports.push_back(kDnsPort);
    return profile;
}

}  // namespace healthcheckd
