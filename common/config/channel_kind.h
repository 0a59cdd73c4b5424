// The interface of a kind of notification channel: one row holds everything that differs between kinds. Every
// process.
//
// Each file in master/mailer/channel defines the row of one kind; table.cc there lists them.
#pragma once

#include "common/config/settings.h"
#include "common/system/result.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

class Diagnostics;
class TlsClient;
struct ChannelConfig;
struct Key;
struct SectionDraft;
namespace master {
class Delivery;
struct Letter;
struct SpoolMessage;
struct Telling;
}  // namespace master

struct ChannelKind {
    std::string_view section;  // name in the file's `config`: "mail", "webhooks"
    // The name of its channels in logs and in the spool: "mail"; "webhook", to which ":NAME" is added.
    std::string_view label;
    std::string_view word;  // stands in the key `action` for all channels of the kind: "email", "webhook"
    // The section maps names to channels; "webhook:NAME" in `action` is one of them.
    bool named = false;
    std::span<const std::string_view> aliases = {};  // names that `action` accepts without the kind's word

    std::unique_ptr<Settings> (*make_settings)();
    std::span<const Key> keys;
    // Checks required keys and rules between keys, and sets defaults that depend on other keys.
    void (*finish)(const SectionDraft& draft, ChannelConfig& channel, Diagnostics& diagnostics);
    // Returns the recipient, for people: "mail to a@b.c". nullptr: the label is used.
    std::string (*audience)(const ChannelConfig& channel) = nullptr;

    // Returns the TCP ports that the mailer connects to.
    std::vector<std::uint16_t> (*ports)(const ChannelConfig& channel);
    // Loads what server certificates are verified with. Reads files, so it runs before confinement. Fails
    // when no certificate could be verified.
    Result<TlsClient> (*trust)(const ChannelConfig& channel);
    // Returns the maximum size in bytes of the notices in one message after the first notice. nullptr: no
    // maximum.
    std::size_t (*most_notice_bytes)(const ChannelConfig& channel) = nullptr;
    // Writes subject, text, sender and recipients of a message about `tellings`, which must not be empty.
    // `message.lost`: the number of notices that were lost.
    void (*compose)(const ChannelConfig& channel, const std::vector<master::Telling>& tellings,
                    master::SpoolMessage& message);
    // Fails when compose() cannot have written this text of a message from the spool. nullptr: accepts any
    // text.
    Result<void> (*check_text)(const std::string& text) = nullptr;
    // Makes one attempt to deliver. All arguments must outlive the returned object.
    std::unique_ptr<master::Delivery> (*deliver)(const ChannelConfig& channel, const master::Letter& letter,
                                                 const TlsClient& tls);
    // Returns what is kept of a message that is given up; dead_suffix is the suffix of its file. nullptr: the
    // text, as JSON.
    std::string (*dead_letter)(const master::SpoolMessage& message,
                               const std::vector<std::string>& recipients, const std::string& why) = nullptr;
    std::string_view dead_suffix = ".json";
};

// All kinds, in the order in which they are notified.
std::span<const ChannelKind* const> channel_kinds();

// Returns the kind of the channel that has this label in the spool ("webhook:ops"), or nullptr.
const ChannelKind* kind_of_channel(std::string_view label);

}  // namespace healthcheckd
