// One try to hand a message over, that does not block: by SMTP or to a webhook. Mailer.
#pragma once

#include "common/config/channels.h"
#include "common/net/tls_client.h"
#include "master/mailer/delivery/letter.h"
#include "master/mailer/delivery/transfer.h"
#include "master/mailer/text/outcome.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

// What became of one recipient of a mail that others may have got.
struct RecipientOutcome {
    std::string address;
    Outcome outcome = Outcome::rejected;  // or deferred
    std::string answer;
    bool retry_slowly = false;  // as of DeliveryResult
};

struct DeliveryResult {
    Outcome outcome = Outcome::deferred;
    std::string message;                            // a sentence for a person, without any secret
    std::vector<RecipientOutcome> exceptions = {};  // recipients with another outcome than the rest
    bool concerns_channel = false;                  // deferred: the next message would fare no better
    bool retry_slowly = false;  // deferred: soon again would do harm (a refused login, too many calls)
    // deferred, or some recipients are: the server refuses us, not the mail. What stays the same as long as it
    // does ("recipient 504 5.5.2"); empty: it does not.
    std::string refusal = {};
};

class Delivery {
public:
    virtual ~Delivery() = default;
    // Goes on with what can be done now. The result, once, at the end.
    virtual std::optional<DeliveryResult> step() = 0;
    // What to wait for before the next step().
    virtual void watch(Watch& watch) const = 0;
    // From another thread than step(), which then soon has a result, if it can be made to.
    virtual void cut() {}
};

// How long one server may take for one message.
inline constexpr std::chrono::milliseconds kTryLimit{30'000};

// Tells what is said: "> EHLO host", "< 250 ok", "* connected to ..."; passwords as ********.
using Trace = std::function<void(const std::string& line)>;

// What the certificates of mail servers are judged by: mail.caFile, else the file of this system. Reads
// files: call it before confinement. Fails when there is none and the mail could not be sent without.
Result<TlsClient> mail_tls(const MailConfig& mail);

// By SMTP, to the first of mail.hosts that takes it, each for at most `limit`. step() blocks for as long
// while the server thinks about a mail that it has got: libcurl has no other way; and, where this host has no
// full name, while it looks for one and connects. Everything given must
// outlive the delivery.
std::unique_ptr<Delivery> deliver_mail(const MailConfig& mail, const Letter& letter, const TlsClient& tls,
                                       std::chrono::milliseconds limit = kTryLimit, Trace trace = {});

// `delivery`, with its steps in a thread of their own: step() never blocks. Ended before its end, it is cut.
std::unique_ptr<Delivery> in_own_thread(std::unique_ptr<Delivery> delivery);

// To a webhook, by one POST. Everything given must outlive the delivery.
std::unique_ptr<Delivery> deliver_webhook(const WebhookConfig& webhook, const Letter& letter,
                                          const TlsClient& tls);

}  // namespace healthcheckd::master
