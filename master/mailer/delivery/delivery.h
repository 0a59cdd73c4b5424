// The interface of one attempt to deliver a message, by SMTP or to a webhook. Mailer.
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

// The outcome for one recipient of a mail that others may have received.
struct RecipientOutcome {
    std::string address;
    Outcome outcome = Outcome::rejected;  // or deferred
    std::string answer;
    bool retry_slowly = false;  // as in DeliveryResult
};

struct DeliveryResult {
    Outcome outcome = Outcome::deferred;
    std::string message;                            // a sentence for people, without secrets
    std::vector<RecipientOutcome> exceptions = {};  // recipients whose outcome differs from the others'
    bool concerns_channel = false;                  // deferred: the next message would fail as well
    bool retry_slowly = false;  // deferred: an early retry would do harm (a rejected login, too many calls)
    // Set when the message, or a recipient, is deferred because the server rejects us, not the mail: the part
    // of the reason that stays the same from attempt to attempt ("recipient 504 5.5.2"). Empty otherwise.
    std::string refusal = {};
};

class Delivery {
public:
    virtual ~Delivery() = default;
    // Continues as far as is possible without blocking. Returns the result once, at the end.
    virtual std::optional<DeliveryResult> step() = 0;
    // Sets what to wait for before the next step().
    virtual void watch(Watch& watch) const = 0;
    // Called from another thread than step(): makes step() return a result soon, if it can.
    virtual void cut() {}
};

// Timeout of one server for one message.
inline constexpr std::chrono::milliseconds kTryLimit{30'000};

// Receives each line of the dialogue: "> EHLO host", "< 250 ok", "* connected to ..."; passwords as ********.
using Trace = std::function<void(const std::string& line)>;

// Loads the certificates by which mail servers are verified: those of mail.caFile, else the system's. Reads
// files, so call it before confinement. Fails when there are none and the mail could not be sent without.
Result<TlsClient> mail_tls(const MailConfig& mail);

// Delivers by SMTP, to the first of mail.hosts that accepts the mail, each with the timeout `limit`. step()
// may block for as long: while the server processes the mail, since libcurl offers no other way, and, on a
// host without a full name, while it looks for one and connects. All arguments must outlive the delivery.
std::unique_ptr<Delivery> deliver_mail(const MailConfig& mail, const Letter& letter, const TlsClient& tls,
                                       std::chrono::milliseconds limit = kTryLimit, Trace trace = {});

// Wraps `delivery` so that its steps run in a thread and step() never blocks. Cuts it when
// destroyed before its end.
std::unique_ptr<Delivery> in_own_thread(std::unique_ptr<Delivery> delivery);

// Delivers to a webhook with one POST. All arguments must outlive the delivery.
std::unique_ptr<Delivery> deliver_webhook(const WebhookConfig& webhook, const Letter& letter,
                                          const TlsClient& tls);

}  // namespace healthcheckd::master
