#include "master/supervisord/link_client.h"

#include "common/wire/channel.h"

#include <algorithm>
#include <poll.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostText = 16 * 1024;

CallResult lost(std::string why) {
    CallResult result;
    result.code = kCallLinkLost;
    result.message = "the supervisord link is gone: " + std::move(why);
    return result;
}

CallResult late(std::chrono::milliseconds limit) {
    CallResult result;
    result.code = kCallTimeout;
    result.message = "the supervisord link did not answer within " + std::to_string(limit.count()) + " ms";
    return result;
}

}  // namespace

CallResult LinkClient::call(std::string_view op, std::string_view name, std::chrono::milliseconds limit) {
    const Clock::time_point deadline = Clock::now() + limit;
    const std::uint64_t seq = ++seq_;
    LineWriter line = encode(Call{seq, std::string(op), std::string(name)});
    if (line.line().empty()) {
        CallResult result;
        result.code = kCallBadAnswer;
        result.message = "the program's name is too long";
        return result;
    }
    if (const auto sent = send_packet(socket_.get(), line.line()); !sent)
        return sent.error().code == EAGAIN ? late(limit) : lost(sent.error().text());

    CallResult result;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0)
            return late(limit);
        auto packet = receive_packet(socket_.get(), left);
        if (!packet)
            return packet.error().code == ETIMEDOUT ? late(limit) : lost(packet.error().text());
        if (!*packet)
            return lost("it closed the connection");
        LinkLine answer;
        if (!decode((*packet)->line, answer))
            return lost("its answer cannot be understood");
        // Lines with another seq answer an earlier call that was given up.
        if (const auto* program = std::get_if<ProgramLine>(&answer); program && program->seq == seq)
            result.program = *program;
        if (const auto* settings = std::get_if<SettingsLine>(&answer); settings && settings->seq == seq)
            result.settings = *settings;
        if (const auto* piece = std::get_if<TextLine>(&answer); piece && piece->seq == seq) {
            result.stream = piece->stream;
            result.text.append(piece->text, 0, kMostText - std::min(kMostText, result.text.size()));
        }
        if (const auto* end = std::get_if<AnswerLine>(&answer); end && end->seq == seq) {
            result.code = end->code;
            result.message = end->message;
            return result;
        }
    }
}

}  // namespace healthcheckd::master
