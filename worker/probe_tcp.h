// Check type `tcp`: does something accept connections at host and port? Worker.
#pragma once

#include "worker/curl_call.h"
#include "worker/probe.h"

#include <optional>

namespace healthcheckd::worker {

class TcpProbe final : public Probe {
public:
    explicit TcpProbe(const CatConfig& cat) : cat_(cat) {}

    Result<void> prepare() override;
    // Connects to any address of the host, both families tried side by side (RFC 8305), and closes at once.
    // Success when one accepts; otherwise as CurlCall::fault() says.
    ProbeResult probe(const ProbeCommand& command) override;

private:
    const CatConfig& cat_;
    std::optional<Resolver> resolver_;
};

}  // namespace healthcheckd::worker
