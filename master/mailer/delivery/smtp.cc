// Delivery of a message by SMTP, with libcurl. Mailer.
#include "common/net/tls_fault.h"
#include "common/text/mask.h"
#include "common/text/mime.h"
#include "common/text/printable.h"
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/delivery/mail_greeting.h"
#include "master/mailer/delivery/smtp_dialogue.h"
#include "master/notice/host_facts.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxDetail = 300;

int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* dialogue) {
    auto& d = *static_cast<SmtpDialogue*>(dialogue);
    if (type == CURLINFO_HEADER_OUT)
        d.sent({data, size});
    else if (type == CURLINFO_HEADER_IN)
        d.received({data, size});
    else if (type == CURLINFO_SSL_DATA_OUT)
        d.tls_record();
    else if (type == CURLINFO_TEXT)
        d.remark({data, size});
    return 0;
}

std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* rest) {
    auto& text = *static_cast<std::string_view*>(rest);
    const std::size_t n = std::min(size * count, text.size());
    std::memcpy(buffer, text.data(), n);
    text.remove_prefix(n);
    return n;
}

// Discards the server's text, which libcurl would print to stdout; replies come through the debug callback.
std::size_t on_write(char*, std::size_t size, std::size_t count, void*) {
    return size * count;
}

// Returns smtp://HOST:PORT/GREETING; curl uses GREETING for EHLO. nullptr: the host is invalid.
CurlUrl server_url(const MailConfig& mail, const std::string& server, const std::string& greeting) {
    CurlUrl url(libcurl().url());
    const bool v6 = server.find(':') != std::string::npos && !server.starts_with('[');
    const std::string host = v6 ? "[" + server + "]" : server;
    const std::string name = "/" + greeting;
    const char* scheme = mail.tls == MailTls::implicit ? "smtps" : "smtp";
    if (!url || libcurl().url_set(url.get(), CURLUPART_SCHEME, scheme, 0) != CURLUE_OK ||
        libcurl().url_set(url.get(), CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK ||
        libcurl().url_set(url.get(), CURLUPART_PORT, std::to_string(mail.port).c_str(), 0) != CURLUE_OK ||
        libcurl().url_set(url.get(), CURLUPART_PATH, name.c_str(), CURLU_URLENCODE) != CURLUE_OK)
        return nullptr;
    return url;
}

// An attacker on the way can strip opportunistic STARTTLS, so a password requires TLS.
long tls_demand(const MailConfig& mail) {
    switch (mail.tls) {
    case MailTls::implicit:
    case MailTls::starttls:
        return CURLUSESSL_ALL;
    case MailTls::opportunistic:
        return mail.pass.empty() ? CURLUSESSL_TRY : CURLUSESSL_ALL;
    case MailTls::none:
        return CURLUSESSL_NONE;
    }
    return CURLUSESSL_ALL;
}

// curl keeps its own copies; ours is wiped.
void set_login(CURL* curl, const MailConfig& mail) {
    if (mail.pass.empty())
        return;
    std::string password(mail.pass.view());
    libcurl().easy_setopt(curl, CURLOPT_USERNAME, mail.user.c_str());
    libcurl().easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
    ::explicit_bzero(password.data(), password.size());
}

// A server may repeat what it was sent: removes the password, plain and as AUTH encodes it, before it reaches
// a log.
std::string without_password(std::string text, const MailConfig& mail) {
    if (mail.pass.empty())
        return text;
    const std::string pass(mail.pass.view());
    using namespace std::string_literals;
    for (const std::string& form : {pass, base64(pass), base64("\0"s + mail.user + "\0"s + pass)})
        mask_in(text, form);
    return text;
}

// The name in the greeting, and the connection that had to be made to determine it, if any.
struct Greeting {
    std::string name;
    UniqueFd connected = {};
    std::chrono::milliseconds limit;  // the time that is left
};

Greeting greeting_for(const MailConfig& mail, const std::string& server, std::chrono::milliseconds limit,
                      Connections& connections) {
    if (!mail.helo.empty())
        return {mail.helo, {}, limit};
    if (std::string name = full_host_name(); !name.empty())
        return {std::move(name), {}, limit};
    const auto start = std::chrono::steady_clock::now();
    auto connection = connect_to_mail(server, mail.port, limit, [&] { return connections.is_cut(); });
    const auto took = std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    const auto left = std::max(limit - took, std::chrono::milliseconds(1));
    if (connection && !connection->literal.empty())
        return {std::move(connection->literal), std::move(connection->socket), left};
    return {host_name(), {}, left};  // libcurl will report why there is no connection
}

// One attempt to deliver to one server.
class SmtpTry {
public:
    SmtpTry(const MailConfig& mail, const std::string& server, const Letter& letter, const TlsClient& tls,
            Greeting greeting, std::chrono::milliseconds limit, const Trace& trace, Connections& connections);
    std::optional<DeliveryResult> step();
    void watch(Watch& watch) const { transfer_.watch(watch); }

private:
    void set_up(const Letter& letter, const TlsClient& tls);
    std::string phase() const;
    DeliveryResult result_of(CURLcode code) const;
    DeliveryResult delivered() const;
    DeliveryResult failed(CURLcode code) const;

    const MailConfig& mail_;
    const std::chrono::milliseconds limit_;
    const std::chrono::milliseconds left_;  // of its timeout
    const std::string place_;               // "host:port"
    const std::string server_;
    const std::vector<std::string>& wanted_;
    std::string_view rest_;
    CurlUrl url_;
    CurlList recipients_;
    std::string sender_;
    SmtpDialogue dialogue_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    Transfer transfer_;  // last, since it uses all other members
};

SmtpTry::SmtpTry(const MailConfig& mail, const std::string& server, const Letter& letter,
                 const TlsClient& tls, Greeting greeting, std::chrono::milliseconds limit, const Trace& trace,
                 Connections& connections)
    : mail_(mail), limit_(limit), left_(greeting.limit), place_(server + ':' + std::to_string(mail.port)), server_(server), wanted_(letter.recipients),
      rest_(letter.text), url_(server_url(mail, server, greeting.name)), sender_('<' + letter.sender + '>'),
      dialogue_(trace ? [&mail, trace](const std::string& line) { trace(without_password(line, mail)); } : Trace{}) {
    if (!url_)
        return;
    if (greeting.connected)
        connections.follow(transfer_.handle(), std::move(greeting.connected));
    else
        connections.follow(transfer_.handle());
    set_up(letter, tls);
}

void SmtpTry::set_up(const Letter& letter, const TlsClient& tls) {
    for (const std::string& address : letter.recipients)
        append_to(recipients_, "<" + address + ">");
    CURL* c = transfer_.handle();
    libcurl().easy_setopt(c, CURLOPT_CURLU, url_.get());
    libcurl().easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    libcurl().easy_setopt(c, CURLOPT_USE_SSL, tls_demand(mail_));
    tls.apply(c);
    set_login(c, mail_);
    libcurl().easy_setopt(c, CURLOPT_MAIL_FROM, sender_.c_str());
    libcurl().easy_setopt(c, CURLOPT_MAIL_RCPT, recipients_.get());
    libcurl().easy_setopt(c, CURLOPT_MAIL_RCPT_ALLLOWFAILS,
                          1L);  // one bad address must not affect the others
    libcurl().easy_setopt(c, CURLOPT_UPLOAD, 1L);
    libcurl().easy_setopt(c, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(letter.text.size()));
    libcurl().easy_setopt(c, CURLOPT_READFUNCTION, on_read);
    libcurl().easy_setopt(c, CURLOPT_READDATA, &rest_);
    libcurl().easy_setopt(c, CURLOPT_WRITEFUNCTION, on_write);
    libcurl().easy_setopt(c, CURLOPT_VERBOSE, 1L);
    libcurl().easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_debug);
    libcurl().easy_setopt(c, CURLOPT_DEBUGDATA, &dialogue_);
    libcurl().easy_setopt(c, CURLOPT_ERRORBUFFER, error_text_.data());
    libcurl().easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(left_.count()));
    libcurl().easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(left_.count()));
    transfer_.begin();
}

std::optional<DeliveryResult> SmtpTry::step() {
    if (!url_)
        return DeliveryResult{.outcome = Outcome::deferred,
                              .message = "mail.host is no host name: " + printable(server_),
                              .concerns_channel = true,
                              .retry_slowly = true};
    const std::optional<CURLcode> code = transfer_.step();
    if (!code)
        return std::nullopt;
    DeliveryResult result = *code == CURLE_OK ? delivered() : failed(*code);
    result.message = without_password(std::move(result.message), mail_);
    for (RecipientOutcome& each : result.exceptions)
        each.answer = without_password(std::move(each.answer), mail_);
    return result;
}

// Returns the phase in which it stopped. Before its first command curl waits for the server's greeting, after
// the connection or, with implicit TLS, after the handshake.
std::string SmtpTry::phase() const {
    curl_off_t connected_us = 0;
    libcurl().easy_getinfo(
        transfer_.handle(),
        mail_.tls == MailTls::implicit ? CURLINFO_APPCONNECT_TIME_T : CURLINFO_CONNECT_TIME_T, &connected_us);
    return dialogue_.commanded() || connected_us == 0 ? dialogue_.phase() : "greeting";
}

DeliveryResult SmtpTry::delivered() const {
    DeliveryResult result;
    result.outcome = Outcome::sent;
    for (const Refusal& refusal : dialogue_.refusals()) {
        const bool of_us = refusal.blame == Blame::us;
        result.exceptions.push_back(
            {refusal.address, refusal.blame == Blame::recipient ? Outcome::rejected : Outcome::deferred,
             refusal.answer, of_us});
        if (of_us)
            result.refusal = "recipient " + codes_of(refusal.answer);
    }
    result.message = "delivered to " + place_;
    if (!result.exceptions.empty())
        result.message +=
            fmt::format(" for {} of {} recipients",
                        wanted_.size() - std::min(wanted_.size(), result.exceptions.size()), wanted_.size());
    return result;
}

DeliveryResult SmtpTry::failed(CURLcode code) const {
    DeliveryResult result;
    const std::string at = phase();
    const std::string& answer = dialogue_.answer();
    for (const Refusal& refusal : dialogue_.refusals())
        if (refusal.blame == Blame::recipient)
            result.exceptions.push_back({refusal.address, Outcome::rejected, refusal.answer});
        else if (refusal.blame == Blame::us)
            result.refusal = "recipient " + codes_of(refusal.answer);
    const std::string detail =
        printable(error_text_[0] != '\0' ? error_text_.data() : libcurl().easy_strerror(code), kMaxDetail);
    const std::string fault = tls_fault(transfer_.handle(), code, detail, server_);
    result.message = place_ + ": " + at + ": ";
    if (code == CURLE_OPERATION_TIMEDOUT)
        result.message += fmt::format("no answer within {} s", (limit_.count() + 999) / 1000);
    else
        result.message += fault.empty() ? detail : fault;
    if (!answer.empty() && code != CURLE_OPERATION_TIMEDOUT)
        result.message += " (" + answer + ")";

    const Blame blame = code == CURLE_OPERATION_TIMEDOUT ? Blame::later : blame_of(at, answer);
    if (at == "recipient" && result.exceptions.size() >= wanted_.size())
        result.outcome = Outcome::rejected;
    else if (at != "recipient" && blame == Blame::message)
        result.outcome = Outcome::rejected;
    else if (at != "recipient" && blame == Blame::us)
        result.refusal = at + ' ' + codes_of(answer);
    if (result.outcome == Outcome::rejected)
        result.refusal.clear();
    // A server may close the connection with 421 in any phase (RFC 5321, 3.8).
    const bool about_message = at == "sender" || at == "recipient" || at == "message";
    result.concerns_channel = !about_message || answer.starts_with("421") || !result.refusal.empty();
    // A wrong password stays wrong, and some servers lock out clients that go on trying.
    result.retry_slowly = !result.refusal.empty();
    return result;
}

class SmtpDelivery : public Delivery {
public:
    SmtpDelivery(const MailConfig& mail, const Letter& letter, const TlsClient& tls,
                 std::chrono::milliseconds limit, Trace trace)
        : mail_(mail), letter_(letter), tls_(tls), limit_(limit), trace_(std::move(trace)) {}
    std::optional<DeliveryResult> step() override;
    void watch(Watch& watch) const override {
        if (try_)
            try_->watch(watch);
    }
    void cut() override { connections_.cut(); }

private:
    // May block on the resolver and on a connection; step() runs in a thread of its own.
    void begin() {
        const std::string& server = mail_.hosts.at(next_++);
        try_.emplace(mail_, server, letter_, tls_, greeting_for(mail_, server, limit_, connections_), limit_,
                     trace_, connections_);
    }

    const MailConfig& mail_;
    const Letter& letter_;
    const TlsClient& tls_;
    const std::chrono::milliseconds limit_;
    const Trace trace_;
    std::size_t next_ = 0;
    std::string before_;  // replies of the servers tried before
    Connections connections_;
    std::optional<SmtpTry> try_;  // last, since it uses the others
};

std::optional<DeliveryResult> SmtpDelivery::step() {
    if (letter_.recipients.empty())
        return DeliveryResult{.outcome = Outcome::rejected,
                              .message = "no recipient: mail.to_list has no address"};
    if (!try_)
        begin();
    std::optional<DeliveryResult> result = try_->step();
    if (!result)
        return std::nullopt;
    if (result->outcome == Outcome::deferred && next_ < mail_.hosts.size()) {
        before_ += result->message + "; ";
        begin();
        return std::nullopt;
    }
    if (result->outcome != Outcome::sent)
        result->message = before_ + result->message;
    return result;
}

}  // namespace

Result<TlsClient> mail_tls(const MailConfig& mail) {
    if (mail.tls == MailTls::none || !mail.verify)
        return TlsClient::trusting_all();
    if (!mail.ca_file.empty()) {
        auto trusting = TlsClient::trusting(mail.ca_file);
        return trusting ? std::move(trusting) : Error{"mail.caFile: " + trusting.error().text()};
    }
    // A relay without TLS needs no certificates.
    const std::string file = system_ca_file();
    if (file.empty() && mail.tls == MailTls::opportunistic)
        return TlsClient::trusting_none();
    return TlsClient::trusting(file);
}

std::unique_ptr<Delivery> deliver_mail(const MailConfig& mail, const Letter& letter, const TlsClient& tls,
                                       std::chrono::milliseconds limit, Trace trace) {
    return std::make_unique<SmtpDelivery>(mail, letter, tls, limit, std::move(trace));
}

}  // namespace healthcheckd::master
