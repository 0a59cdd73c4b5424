// A kind of channel that only a test has: a line of text to a TCP port of this machine. Proves that one file and one
// row are enough.
#include "common/config/accessors.h"
#include "common/config/channel_kind.h"
#include "common/config/draft.h"
#include "common/net/tls_client.h"
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/spool_message.h"
#include "master/mailer/text/notice_text.h"

#include <arpa/inet.h>
#include <sys/socket.h>

namespace healthcheckd {

namespace {

struct SampleChannel : SettingsOf<SampleChannel> {
    int port = 1;
};

constexpr Key kSampleKeys[] = {
    {.name = "port",
     .required = true,
     .set = set_whole<&SampleChannel::port, 1, 65535>,
     .get = get_whole<&SampleChannel::port>},
};

class SampleDelivery final : public master::Delivery {
public:
    SampleDelivery(int port, const std::string& text) : port_(port), text_(text) {}
    std::optional<master::DeliveryResult> step() override {
        const UniqueFd connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in server{};
        server.sin_family = AF_INET;
        server.sin_port = htons(static_cast<std::uint16_t>(port_));
        server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0 ||
            ::send(connection.get(), text_.data(), text_.size(), MSG_NOSIGNAL) < 0)
            return master::DeliveryResult{.message = "no connection"};
        return master::DeliveryResult{.outcome = master::Outcome::sent, .message = "taken"};
    }
    void watch(master::Watch&) const override {}

private:
    int port_;
    const std::string& text_;
};

void finish(const SectionDraft& draft, ChannelConfig&, Diagnostics& diagnostics) {
    draft.require("port", diagnostics);
}

std::vector<std::uint16_t> ports(const ChannelConfig& channel) {
    return {static_cast<std::uint16_t>(channel.own<SampleChannel>().port)};
}

Result<TlsClient> trust(const ChannelConfig&) {
    return TlsClient::trusting_none();
}

void compose(const ChannelConfig&, const std::vector<master::Telling>& tellings,
             master::SpoolMessage& message) {
    message.subject = master::subject_of(tellings);
    message.text = message.subject + "\n";
}

std::unique_ptr<master::Delivery> deliver(const ChannelConfig& channel, const master::Letter& letter,
                                          const TlsClient&) {
    return master::in_own_thread(
        std::make_unique<SampleDelivery>(channel.own<SampleChannel>().port, letter.text));
}

}  // namespace

extern const ChannelKind kSampleChannel{
    .section = "sample",
    .label = "sample",
    .word = "sample-line",
    .make_settings = make_settings<SampleChannel>,
    .keys = kSampleKeys,
    .finish = finish,
    .ports = ports,
    .trust = trust,
    .compose = compose,
    .deliver = deliver,
};

}  // namespace healthcheckd
