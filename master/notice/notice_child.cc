#include "master/notice/notice_child.h"

#include "common/text/terminal.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_supervisord.h"
#include "common/wire/protocol_task.h"
#include "common/wire/say.h"
#include "master/files/log_end.h"
#include "master/notice/spool.h"

#include <optional>

namespace healthcheckd::master {

LogTail log_tail(const Incident& incident, LinkClient*& link, const DiskWork& disk) {
    if (link == nullptr || incident.kind != NoticeKind::failed || !incident.request.of_supervisord)
        return {};
    CallResult answer = link->call("tail", incident.request.program, kLogTailLimit);
    if (answer.code == kCallTimeout || answer.code == kCallLinkLost || answer.code == kCallUnreachable)
        link = nullptr;
    if (answer.ok())
        return {std::move(answer.stream), std::move(answer.text)};
    if (answer.code != kCallBadAnswer && link != nullptr)
        return {};  // a fault: the program has no log
    LogTail tail{"file", {}, "supervisord did not give it: " + answer.message};
    if (answer.code != kCallBadAnswer || answer.stream != "file")
        return tail;
    tail.missing = "supervisord cannot give it (its bytes may not be UTF-8): " + answer.message;
    if (!incident.request.files_are_here) {
        tail.missing += "; its file is not one of this machine, as far as is known";
        return tail;
    }
    auto text = read_log_end(answer.text, disk, kLogFileLimit);
    if (text)
        tail.text = without_terminal_sequences(*text);
    else
        tail.missing += "; nor can the file be read: " + text.error().text();
    return tail;
}

std::uint32_t spool_notices(const Incident& incident, const LogTail& log, std::uint32_t index) {
    const Spool spool(incident.request.state_dir);
    for (const std::string& channel : incident.request.channels) {
        const auto written = spool.put(incident, channel, log);
        const Spooled line{index++, static_cast<bool>(written), written ? "" : written.error().text()};
        say(line);
    }
    return index;
}

int run_notices(const std::vector<Incident>& incidents, int link_fd) {
    std::optional<LinkClient> socket;
    if (link_fd >= 0)
        socket.emplace(UniqueFd(link_fd));
    LinkClient* link = socket ? &*socket : nullptr;
    // Hundreds of notices must be on disk soon, with or without the end of the log.
    const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const DiskWork disk(-1);
    std::uint32_t index = 0;
    for (const Incident& incident : incidents) {
        if (std::chrono::steady_clock::now() >= enough)
            link = nullptr;
        index = spool_notices(incident, log_tail(incident, link, disk), index);
    }
    return 0;
}

}  // namespace healthcheckd::master
