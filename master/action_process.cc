#include "master/action_process.h"

#include "common/channel.h"
#include "common/log.h"
#include "master/command.h"
#include "master/link_client.h"

namespace healthcheckd::master {

namespace {

template <class Message> void say(const Message& message) {
    (void)write_line(kReportFd, encode(message).line());
}

// Output goes in pieces that fit a line even when every byte is percent-encoded.
void say_output(std::string_view output) {
    constexpr std::size_t kPiece = kMaxLine / 3 - 16;
    for (std::size_t at = 0; at < output.size(); at += kPiece)
        say(Output{std::string(output.substr(at, kPiece))});
}

}  // namespace

int run_action(MainAction action, const ActionRequest& request, int link_fd) {
    const auto stage = [](std::chrono::milliseconds limit, std::string_view what) {
        say(Stage{static_cast<std::uint64_t>(limit.count()), std::string(what)});
    };
    const auto began = std::chrono::steady_clock::now();
    ActionResult result;
    switch (action) {
    case MainAction::restart: {
        LinkClient link{UniqueFd(link_fd)};
        result = run_restart(request, link, stage);
        break;
    }
    case MainAction::exec:
        result = run_exec(request, stage);
        break;
    case MainAction::kill:
        result = run_kill(request);
        break;
    case MainAction::none:
        break;
    }
    say_output(result.output);
    say(Done{result.ok, result.message});
    if (action == MainAction::exec)
        sweep_leftovers(began + request.cat.exec_timeout);
    return result.ok ? 0 : 1;
}

}  // namespace healthcheckd::master
