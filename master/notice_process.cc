#include "master/notice_process.h"

#include "common/channel.h"
#include "common/protocol.h"
#include "master/spool.h"

#include <optional>

namespace healthcheckd::master {

LogTail log_tail(const Incident& incident, LinkClient*& link) {
    if (link == nullptr || incident.kind != NoticeKind::failed || !incident.request.of_supervisord)
        return {};
    CallResult answer = link->call("tail", incident.request.program, kLogTailLimit);
    if (answer.code == kCallTimeout || answer.code == kCallLinkLost || answer.code == kCallUnreachable)
        link = nullptr;
    return answer.ok() ? LogTail{std::move(answer.stream), std::move(answer.text)} : LogTail{};
}

std::uint32_t spool_notices(const Incident& incident, const LogTail& log, std::uint32_t index) {
    const Spool spool(incident.request.state_dir);
    for (const std::string& channel : incident.request.channels) {
        const auto written = spool.put(incident, channel, log);
        const Spooled line{index++, static_cast<bool>(written), written ? "" : written.error().text()};
        (void)write_line(kReportFd, encode(line).line());
    }
    return index;
}

int run_notices(const std::vector<Incident>& incidents, int link_fd) {
    std::optional<LinkClient> socket;
    if (link_fd >= 0)
        socket.emplace(UniqueFd(link_fd));
    LinkClient* link = socket ? &*socket : nullptr;
    // Hundreds at once must be on disk before long, with or without the ends of their logs.
    const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::uint32_t index = 0;
    for (const Incident& incident : incidents) {
        if (std::chrono::steady_clock::now() >= enough)
            link = nullptr;
        index = spool_notices(incident, log_tail(incident, link), index);
    }
    return 0;
}

}  // namespace healthcheckd::master
