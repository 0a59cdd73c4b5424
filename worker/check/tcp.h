// Check type `tcp`: whether something accepts connections at host and port. Configuration child, master and
// worker.
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
    // Connects to an address of the host and closes the connection at once. Success when one accepts; the
    // kernel also accepts for a stopped process that listens. Otherwise as Dialer::dial().
    ProbeResult probe(const ProbeCommand& command) override;

private:
    const CatConfig& cat_;
    std::optional<Dialer> dialer_;
};

}  // namespace worker
}  // namespace healthcheckd
