#include "worker/probe_tcp.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::worker {

Result<void> TcpProbe::prepare() {
    resolver_.emplace(cat_.timeout);
    return {};
}

ProbeResult TcpProbe::probe(const ProbeCommand&) {
    // A handle for each probe: libcurl keeps the connection of CURLOPT_CONNECT_ONLY as long as its handle.
    CurlCall call(cat_, *resolver_);
    call.set(CURLOPT_CONNECT_ONLY, 1L);
    if (const CURLcode code = call.perform(); code != CURLE_OK)
        return call.fault(code);
    return call.result(Verdict::success, fmt::format("connected in {}", call.took()));
}

}  // namespace healthcheckd::worker
