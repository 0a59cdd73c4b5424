#include "worker/check/tcp.h"

#include "common/text/concat.h"
#include "worker/probe/timer.h"

namespace healthcheckd {

namespace {

constexpr Key kTcpKeys[] = {kHostKey, kPortKey};

std::vector<JudgedBy> tcp_judged_by(const CatConfig& cat) {
    return {{"timeoutSeconds", seconds_text(cat.timeout)}};
}

}  // namespace

extern const CheckType kTcpCheck{
    .name = "tcp",
    .make_settings = make_settings<TcpCheck>,
    .keys = kTcpKeys,
    .server = server_of,
    .subject = server_of,
    .judged_by = tcp_judged_by,
    .scale = time_scale,
    .make_probe = worker::make_probe<worker::TcpProbe>,
    .profile = network_profile,
};

namespace worker {

Result<void> TcpProbe::prepare() {
    const auto& server = cat_.own<ServerAddress>();
    dialer_.emplace(server.host, server.port, cat_.timeout);
    return {};
}

ProbeResult TcpProbe::probe(const ProbeCommand&) {
    ProbeTimer timer(cat_.timeout);
    Dialled dialled = dialer_->dial(timer.deadline());
    timer.stop();
    if (!dialled.fd)
        return timer.result(std::move(dialled.finding));
    end_connection(std::move(dialled.fd));
    return timer.result(
        {Verdict::success, concat("connected in ", Digits::fixed(timer.milliseconds(), 1), " ms")});
}

}  // namespace worker
}  // namespace healthcheckd
