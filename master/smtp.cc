// One delivery by SMTP, with libcurl. Mail child.
#include "common/line_codec.h"
#include "common/tls_fault.h"
#include "master/host_facts.h"
#include "master/mail.h"
#include "master/mime.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <curl/curl.h>
#include <memory>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxAnswer = 300;  // bytes of a server's answer that are kept

// A recipient that the server did not take.
struct Refusal {
    std::string address;
    std::string answer;
    bool for_good = false;  // 5xx
};

// What was said on the connection, from curl's debug callback: curl's own error text has the code of an
// answer, but neither its text nor to which recipient it belongs.
class Dialogue {
public:
    void sent(std::string_view line) {
        const std::string_view verb = line.substr(0, line.find_first_of(" \r\n"));
        // curl says goodbye after an error too: what came before is what counts.
        over_ = over_ || verb == "QUIT";
        if (over_)
            return;
        answer_.clear();
        recipient_.clear();
        if (verb == "EHLO" || verb == "HELO")
            phase_ = "greeting";
        else if (verb == "STARTTLS")
            phase_ = "STARTTLS";
        else if (verb == "AUTH")
            phase_ = "login";
        else if (verb == "MAIL")
            phase_ = "sender";
        else if (verb == "RCPT") {
            phase_ = "recipient";
            recipient_ = bare_address(line);
        } else if (verb == "DATA")
            phase_ = "message";
        // Anything else goes on with the phase: the lines of a login.
    }
    void received(std::string_view line) {
        if (over_)
            return;
        while (line.ends_with('\n') || line.ends_with('\r'))
            line.remove_suffix(1);
        answer_ = printable(line, kMaxAnswer);
        if (!recipient_.empty() && (line.starts_with('4') || line.starts_with('5')) && last_line(line)) {
            refusals_.push_back({recipient_, answer_, line.starts_with('5')});
            recipient_.clear();
        }
    }

    void tls_record() {
        if (phase_ == kConnection)
            phase_ = kHandshake;
    }

    // What curl was about when it last sent something.
    const std::string& phase() const { return phase_; }
    bool commanded() const { return phase_ != kConnection && phase_ != kHandshake; }
    // The last line of the server's answer to the last command; "" when there was none.
    const std::string& answer() const { return answer_; }
    const std::vector<Refusal>& refusals() const { return refusals_; }

private:
    // "250-..." goes on, "250 ..." does not (RFC 5321, 4.2.1).
    static bool last_line(std::string_view line) { return line.size() < 4 || line[3] != '-'; }

    static constexpr std::string_view kConnection = "connection", kHandshake = "TLS handshake";

    std::string phase_{kConnection};
    bool over_ = false;
    std::string answer_;
    std::string recipient_;
    std::vector<Refusal> refusals_;
};

int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* dialogue) {
    if (type == CURLINFO_HEADER_OUT)
        static_cast<Dialogue*>(dialogue)->sent({data, size});
    else if (type == CURLINFO_HEADER_IN)
        static_cast<Dialogue*>(dialogue)->received({data, size});
    else if (type == CURLINFO_SSL_DATA_OUT)
        static_cast<Dialogue*>(dialogue)->tls_record();
    return 0;
}

std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* rest) {
    auto& text = *static_cast<std::string_view*>(rest);
    const std::size_t n = std::min(size * count, text.size());
    std::memcpy(buffer, text.data(), n);
    text.remove_prefix(n);
    return n;
}

// What the server says besides (the answers come by the debug callback) is not wanted on stdout.
std::size_t on_write(char*, std::size_t size, std::size_t count, void*) {
    return size * count;
}

struct Free {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, Free>;
using Url = std::unique_ptr<CURLU, Free>;
using List = std::unique_ptr<curl_slist, Free>;

// smtp://HOST:PORT/NAME, where curl takes NAME for EHLO. nullptr when the host is none.
Url server_url(const MailConfig& mail) {
    Url url(curl_url());
    const bool v6 = mail.host.find(':') != std::string::npos && !mail.host.starts_with('[');
    const std::string host = v6 ? "[" + mail.host + "]" : mail.host;
    const std::string name = "/" + host_name();
    const char* scheme = mail.tls == MailTls::implicit ? "smtps" : "smtp";
    if (!url || curl_url_set(url.get(), CURLUPART_SCHEME, scheme, 0) != CURLUE_OK ||
        curl_url_set(url.get(), CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK ||
        curl_url_set(url.get(), CURLUPART_PORT, std::to_string(mail.port).c_str(), 0) != CURLUE_OK ||
        curl_url_set(url.get(), CURLUPART_PATH, name.c_str(), CURLU_URLENCODE) != CURLUE_OK)
        return nullptr;
    return url;
}

// STARTTLS "if offered" is stripped by whoever sits on the way: a password asks for more.
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

// curl keeps copies of its own; ours is wiped.
void set_login(CURL* curl, const MailConfig& mail) {
    if (mail.pass.empty())
        return;
    std::string password(mail.pass.view());
    curl_easy_setopt(curl, CURLOPT_USERNAME, mail.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
    ::explicit_bzero(password.data(), password.size());
}

// A server may send back what it was sent; that never reaches a log, neither as it is nor as AUTH encodes it.
std::string without_password(std::string text, const MailConfig& mail) {
    if (mail.pass.empty())
        return text;
    constexpr std::string_view kMask = "********";
    const std::string pass(mail.pass.view());
    using namespace std::string_literals;
    for (const std::string& form : {pass, base64(pass), base64("\0"s + mail.user + "\0"s + pass)})
        for (std::size_t at = 0; (at = text.find(form, at)) != std::string::npos; at += kMask.size())
            text.replace(at, form.size(), kMask);
    return text;
}

std::string seconds(std::chrono::milliseconds time) {
    return std::to_string((time.count() + 999) / 1000) + " s";
}

// Where it stopped. Before the first command curl waits for the server's greeting once it is connected, with
// implicit TLS once that is agreed.
std::string phase_of(CURL* curl, const MailConfig& mail, const Dialogue& dialogue) {
    curl_off_t connected_us = 0;
    curl_easy_getinfo(curl,
                      mail.tls == MailTls::implicit ? CURLINFO_APPCONNECT_TIME_T : CURLINFO_CONNECT_TIME_T,
                      &connected_us);
    return dialogue.commanded() || connected_us == 0 ? dialogue.phase() : "greeting";
}

std::string refusals_text(const std::vector<Refusal>& refusals) {
    std::string text;
    for (const Refusal& refusal : refusals)
        text += (text.empty() ? "" : "; ") + printable(refusal.address, 320) + ": " + refusal.answer;
    return text;
}

MailResult result_of(CURL* curl, CURLcode code, const char* error_text, const MailConfig& mail,
                     const Dialogue& dialogue, std::size_t recipients, std::chrono::milliseconds limit) {
    const std::string server = mail.host + ":" + std::to_string(mail.port);
    const std::vector<Refusal>& refusals = dialogue.refusals();
    MailResult result;
    if (code == CURLE_OK) {
        result.ok = true;
        result.message = "delivered to " + server;
        if (!refusals.empty())
            result.message = "delivered to " +
                             std::to_string(recipients - std::min(recipients, refusals.size())) + " of " +
                             std::to_string(recipients) + " recipients by " + server +
                             "; refused: " + refusals_text(refusals);
        return result;
    }
    const std::string phase = phase_of(curl, mail, dialogue);
    result.message = server + ": " + phase + ": ";
    if (phase == "recipient" && !refusals.empty() && code != CURLE_OPERATION_TIMEDOUT) {
        result.message += "refused: " + refusals_text(refusals);
        result.permanent = refusals.size() >= recipients &&
                           std::ranges::all_of(refusals, [](const Refusal& each) { return each.for_good; });
        return result;
    }
    const std::string detail =
        printable(*error_text != '\0' ? error_text : curl_easy_strerror(code), kMaxAnswer);
    const std::string fault = tls_fault(curl, code, detail, mail.host);
    if (code == CURLE_OPERATION_TIMEDOUT)
        result.message += "no answer within " + seconds(limit);
    else
        result.message += fault.empty() ? detail : fault;
    if (!dialogue.answer().empty() && code != CURLE_OPERATION_TIMEDOUT)
        result.message += " (" + dialogue.answer() + ")";
    // A server that refuses everybody may soon take it. A wrong password stays wrong, and some servers lock
    // out whoever goes on.
    const bool about_us = phase == "login" || phase == "sender" || phase == "message";
    result.permanent = about_us && dialogue.answer().starts_with('5');
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
    // A relay that offers no TLS needs no authority.
    const std::string file = system_ca_file();
    if (file.empty() && mail.tls == MailTls::opportunistic)
        return TlsClient::trusting_none();
    return TlsClient::trusting(file);
}

MailResult send_mail(const MailConfig& mail, const MailMessage& message, std::chrono::milliseconds limit,
                     const TlsClient& tls) {
    const Curl curl(curl_easy_init());
    const Url url = server_url(mail);
    if (!curl || !url)
        return {
            .ok = false, .permanent = true, .message = "mail.host is no host name: " + printable(mail.host)};
    if (message.recipients.empty())
        return {.ok = false, .permanent = true, .message = "no recipient: mail.to_list has no address"};
    List recipients;
    for (const std::string& address : message.recipients)
        if (curl_slist* longer = curl_slist_append(recipients.get(), ("<" + address + ">").c_str())) {
            (void)recipients.release();
            recipients.reset(longer);
        }
    const std::string sender = "<" + message.sender + ">";
    std::string_view rest = message.text;
    Dialogue dialogue;
    std::array<char, CURL_ERROR_SIZE> error_text{};

    CURL* c = curl.get();
    curl_easy_setopt(c, CURLOPT_CURLU, url.get());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(c, CURLOPT_USE_SSL, tls_demand(mail));
    tls.apply(c);
    set_login(c, mail);
    curl_easy_setopt(c, CURLOPT_MAIL_FROM, sender.c_str());
    curl_easy_setopt(c, CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(c, CURLOPT_MAIL_RCPT_ALLLOWFAILS,
                     1L);  // one bad address does not cost the others theirs
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(message.text.size()));
    curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(c, CURLOPT_READDATA, &rest);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(c, CURLOPT_DEBUGDATA, &dialogue);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error_text.data());
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limit.count()));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a name that is still being looked up
    curl_easy_setopt(c, CURLOPT_PROXY, "");

    const CURLcode code = curl_easy_perform(c);
    MailResult result =
        result_of(c, code, error_text.data(), mail, dialogue, message.recipients.size(), limit);
    result.message = without_password(std::move(result.message), mail);
    // QUIT is still to be sent, but curl would wait for its answer longer than `limit`: nothing comes in any
    // more.
    curl_socket_t connection = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(c, CURLINFO_ACTIVESOCKET, &connection) == CURLE_OK && connection != CURL_SOCKET_BAD)
        ::shutdown(connection, SHUT_RD);
    return result;
}

}  // namespace healthcheckd::master
