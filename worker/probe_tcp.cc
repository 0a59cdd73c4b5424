#include "worker/probe_tcp.h"

#include "common/number_text.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::worker {

using Clock = std::chrono::steady_clock;

Result<void> TcpProbe::prepare() {
    addresses_ = fixed_addresses(cat_.host, cat_.port);
    if (addresses_.empty())
        resolver_.emplace(cat_.timeout);
    return {};
}

ProbeResult TcpProbe::probe(const ProbeCommand&) {
    return addresses_.empty() ? probe_by_name() : probe_by_address();
}

ProbeResult TcpProbe::probe_by_name() {
    // A handle for each probe: libcurl keeps the connection of CURLOPT_CONNECT_ONLY as long as its handle.
    CurlCall call(cat_, &*resolver_);
    call.set(CURLOPT_CONNECT_ONLY, 1L);
    if (const CURLcode code = call.perform(); code != CURLE_OK)
        return call.fault(code);
    if (call.met_itself())
        return call.result(Verdict::failure, "connection refused");
    return call.result(Verdict::success, fmt::format("connected in {}", call.took()));
}

ProbeResult TcpProbe::probe_by_address() const {
    const auto begin = Clock::now();
    const auto spent_ms = [&] {
        return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    };
    ProbeResult result;
    result.limit = static_cast<double>(cat_.timeout.count());
    result.unit = "ms";
    for (std::size_t i = 0; i < addresses_.size(); ++i) {
        const auto left =
            std::chrono::milliseconds(cat_.timeout.count() - static_cast<std::int64_t>(spent_ms()));
        const auto share = left / static_cast<int>(addresses_.size() - i);
        const auto connected = connect_once(addresses_[i], share);
        result.value = spent_ms();
        if (connected) {
            result.verdict = Verdict::success;
            result.message = fmt::format("connected in {:.1f} ms", result.value);
            return result;
        }
        judge(connected.error(), result);
    }
    return result;
}

void TcpProbe::judge(const Error& error, ProbeResult& result) const {
    result.verdict = Verdict::failure;
    // A family that the kernel lacks says nothing about an address of the other one.
    const bool no_socket = error.what == kNoSocket && error.code != EAFNOSUPPORT;
    if (no_socket || error.code == EACCES || error.code == EPERM)
        result.verdict = Verdict::unknown;
    if (no_socket)
        result.message = error.text();
    else if (result.verdict == Verdict::unknown)
        result.message = system_error("this machine does not allow the connection", error.code).text();
    else if (error.code == ECONNREFUSED)
        result.message = "connection refused";
    else if (error.code == ETIMEDOUT)
        result.message = fmt::format("no connection within {} s",
                                     number_text(std::chrono::duration<double>(cat_.timeout).count()));
    else
        result.message = system_error("no connection", error.code).text();
}

}  // namespace healthcheckd::worker
