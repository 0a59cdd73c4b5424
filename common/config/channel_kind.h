// A kind of channel by which people are told: everything that differs between kinds, asked of one row. Every process.
//
// Each kind is a file of master/mailer/channel that defines its row; table.cc there names all of them.
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
    std::string_view section;  // below `config` in the file: "mail", "webhooks"
    std::string_view
        label;  // of its channels in logs and in the spool: "mail"; "webhook", with ":NAME" behind it
    std::string_view word;  // in the key `action`: all channels of the kind ("email", "webhook")
    bool named =
        false;  // the section is a map of names and channels; "webhook:NAME" in `action` is one of them
    std::span<const std::string_view> aliases = {};  // names that may stand alone in `action`

    std::unique_ptr<Settings> (*make_settings)();
    std::span<const Key> keys;
    // What must be there, rules between keys, and defaults that depend on others.
    void (*finish)(const SectionDraft& draft, ChannelConfig& channel, Diagnostics& diagnostics);
    // Who is told, for people: "mail to a@b.c". nullptr: its label.
    std::string (*audience)(const ChannelConfig& channel) = nullptr;

    // The TCP ports that the mailer connects to.
    std::vector<std::uint16_t> (*ports)(const ChannelConfig& channel);
    // By what certificates are judged. Reads files: before confinement. Fails when it could not be judged at all.
    Result<TlsClient> (*trust)(const ChannelConfig& channel);
    // So many bytes of notices are in one message at most, beyond its first notice. nullptr: any number.
    std::size_t (*most_notice_bytes)(const ChannelConfig& channel) = nullptr;
    // Writes subject, text, sender and recipients of a message about `tellings`, at least one. `message.lost`
    // notices could not be kept.
    void (*compose)(const ChannelConfig& channel, const std::vector<master::Telling>& tellings,
                    master::SpoolMessage& message);
    // Fails where the text of a message from the spool is none that compose() can have written. nullptr: any may be.
    Result<void> (*check_text)(const std::string& text) = nullptr;
    // One try to hand it over. What is given must outlive it.
    std::unique_ptr<master::Delivery> (*deliver)(const ChannelConfig& channel, const master::Letter& letter,
                                                 const TlsClient& tls);
    // What is kept of a message that is given up, and the end of its file's name. nullptr: the text, as JSON.
    std::string (*dead_letter)(const master::SpoolMessage& message,
                               const std::vector<std::string>& recipients, const std::string& why) = nullptr;
    std::string_view dead_suffix = ".json";
};

// All kinds, in the order in which people are told.
std::span<const ChannelKind* const> channel_kinds();

// The kind of the channel that is called `label` in the spool ("webhook:ops"); nullptr: there is none.
const ChannelKind* kind_of_channel(std::string_view label);

}  // namespace healthcheckd
