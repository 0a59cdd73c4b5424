// Check type `tcp`: does something accept connections at host and port? Worker.
#pragma once

#include "worker/curl_call.h"
#include "worker/probe.h"
#include "worker/tcp_connect.h"

#include <optional>
#include <vector>

namespace healthcheckd::worker {

class TcpProbe final : public Probe {
public:
    explicit TcpProbe(const CatConfig& cat) : cat_(cat) {}

    Result<void> prepare() override;
    // Connects to an address of the host and closes at once; success when one accepts. An address, or
    // localhost, is connected to without further ado; names are libcurl's, which tries both families side by
    // side (RFC 8305). Failures as CurlCall::fault() says.
    ProbeResult probe(const ProbeCommand& command) override;

private:
    ProbeResult probe_by_name();
    ProbeResult probe_by_address() const;
    void judge(const Error& error, ProbeResult& result) const;

    const CatConfig& cat_;
    std::vector<SocketAddress> addresses_;  // empty: a name
    std::optional<Resolver> resolver_;      // for names only
};

}  // namespace healthcheckd::worker
