// Check type `tcp`: does something accept connections at host and port? Configuration child, master and worker.
#pragma once

#include "worker/check/net.h"
#include "worker/probe/dialer.h"
#include "worker/probe/probe.h"

#include <optional>

namespace healthcheckd {

struct TcpCheck : SettingsOf<TcpCheck, ServerAddress> {};
extern const CheckType kTcpCheck;

namespace worker {

class TcpProbe final : public Probe {
public:
    explicit TcpProbe(const CatConfig& cat) : cat_(cat) {}

    Result<void> prepare() override;
    // Connects to an address of the host and closes at once; success when one accepts, which the kernel does
    // for a listening process that is stopped, too. Otherwise as Dialer::dial() says.
    ProbeResult probe(const ProbeCommand& command) override;

private:
    const CatConfig& cat_;
    std::optional<Dialer> dialer_;
};

}  // namespace worker
}  // namespace healthcheckd
