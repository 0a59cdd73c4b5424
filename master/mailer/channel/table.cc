// Each kind of channel has a file in this folder and a row here.
#include "common/config/channel_kind.h"

namespace healthcheckd {

extern const ChannelKind kMailChannel, kWebhookChannel;

namespace {

constexpr const ChannelKind* kChannelKinds[] = {
    &kMailChannel, &kWebhookChannel,
    // A new kind goes above this line.
};

}  // namespace

std::span<const ChannelKind* const> channel_kinds() {
    return kChannelKinds;
}

}  // namespace healthcheckd
