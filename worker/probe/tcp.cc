#include "worker/probe/tcp.h"

#include "worker/probe/timer.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::worker {

Result<void> TcpProbe::prepare() {
    dialer_.emplace(cat_);
    return {};
}

ProbeResult TcpProbe::probe(const ProbeCommand&) {
    ProbeTimer timer(cat_.timeout);
    Dialled dialled = dialer_->dial(timer.deadline());
    timer.stop();
    if (!dialled.fd)
        return timer.result(std::move(dialled.finding));
    end_connection(std::move(dialled.fd));
    return timer.result({Verdict::success, fmt::format("connected in {:.1f} ms", timer.milliseconds())});
}

}  // namespace healthcheckd::worker
