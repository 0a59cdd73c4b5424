// The dialogue with an SMTP server. Mailer.
#pragma once

#include "master/mailer/delivery/smtp_refusal.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

// A recipient that the server rejected.
struct Refusal {
    std::string address;
    std::string answer;
    Blame blame = Blame::later;
};

// Reads libcurl's debug callback: libcurl's own error contains the code of a reply, but neither
// its text nor the recipient.
class SmtpDialogue {
public:
    // `trace` receives every line, those of a login as "********".
    explicit SmtpDialogue(std::function<void(const std::string&)> trace = {}) : trace_(std::move(trace)) {}

    void sent(std::string_view line);
    void received(std::string_view line);
    void remark(std::string_view text);
    void tls_record();

    // What libcurl last sent a command for: connection, TLS handshake, greeting, STARTTLS, login,
    // sender, recipient, message.
    const std::string& phase() const { return phase_; }
    bool commanded() const { return phase_ != kConnection && phase_ != kHandshake; }
    // The last line of the server's reply to the last command; "" when there was none.
    const std::string& answer() const { return answer_; }
    const std::vector<Refusal>& refusals() const { return refusals_; }

private:
    void tell(char side, std::string_view line) const;

    static constexpr std::string_view kConnection = "connection", kHandshake = "TLS handshake";

    std::function<void(const std::string&)> trace_;
    std::string phase_{kConnection};
    bool over_ = false;
    std::string answer_;
    std::string recipient_;
    std::vector<Refusal> refusals_;
};

}  // namespace healthcheckd::master
