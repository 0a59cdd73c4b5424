#include "master/supervisord/transport.h"

#include "common/config/texts.h"
#include "common/net/address.h"
#include "common/net/libcurl.h"
#include "common/net/tls_client.h"
#include "common/net/tls_fault.h"
#include "common/text/mime.h"
#include "common/text/number.h"
#include "common/text/printable.h"
#include "master/supervisord/http.h"

#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <sys/un.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxReplyHeaders = 64u << 10;

std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* text = nullptr;
    if (libcurl().url_get(url, part, &text, flags) != CURLUE_OK)
        return {};
    return CurlText(text).get();
}

// The data received by one transfer; libcurl's callbacks fill it.
struct Received {
    std::string body;
    std::size_t header_bytes = 0;
    bool too_large = false;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
    auto& received = *static_cast<Received*>(context);
    if (received.body.size() + size > kMaxAnswer) {
        received.too_large = true;
        return 0;
    }
    received.body.append(data, size);
    return size;
}

std::size_t on_header(char*, std::size_t, std::size_t size, void* context) {
    auto& received = *static_cast<Received*>(context);
    received.header_bytes += size;
    received.too_large = received.header_bytes > kMaxReplyHeaders;
    return received.too_large ? 0 : size;
}

std::string error_text(int error) {
    const char* text = ::strerrordesc_np(error);
    return text != nullptr ? text : "error " + std::to_string(error);
}

HttpReply too_large(const std::string& who) {
    return {kCallBadAnswer, who + " sent more than " + std::to_string(kMaxAnswer >> 20) + " MB", {}};
}

HttpReply late(const std::string& who, std::chrono::milliseconds limit) {
    return {kCallTimeout,
            who + " takes connections but did not answer within " +
                number_text(std::chrono::duration<double>(limit).count()) + " s",
            {}};
}

// Returns the reply for a complete response.
HttpReply by_status(const std::string& who, int status, std::string body) {
    if (status == 401 || status == 403)
        return {kCallRefused,
                who + " refuses the login (HTTP " + std::to_string(status) +
                    "): check supervisordUser and supervisordPass",
                {}};
    if (status != 200)
        return {kCallBadAnswer, who + " answered HTTP " + std::to_string(status), {}};
    return {kCallOk, {}, std::move(body)};
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
    Endpoint endpoint;
    constexpr std::string_view kUnix = "unix://";
    if (text.starts_with(kUnix)) {
        endpoint.socket_path = text.substr(kUnix.size());
        endpoint.shown = text;
        endpoint.url = "http://localhost/RPC2";
        if (!endpoint.socket_path.starts_with('/'))
            return Error{"the path in " + printable(text) + " is not absolute; write unix:///path/of/socket"};
        if (endpoint.socket_path.size() >= sizeof(sockaddr_un::sun_path))
            return Error{"the path in " + printable(text) + " is longer than the 107 bytes of unix(7)"};
        return endpoint;
    }

    const CurlUrl url(libcurl().url());
    const std::string copy(text);
    if (!url || libcurl().url_set(url.get(), CURLUPART_URL, copy.c_str(), 0) != CURLUE_OK)
        return Error{
            "the URL of supervisord cannot be understood; write unix:///path or http://host:port/RPC2"};
    const std::string scheme = url_part(url.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https")
        return Error{"'" + printable(scheme) + "://' is no way to reach supervisord: unix, http or https"};
    endpoint.tls = scheme == "https";
    if (const std::string path = url_part(url.get(), CURLUPART_PATH); path.empty() || path == "/")
        libcurl().url_set(url.get(), CURLUPART_PATH, "/RPC2", 0);
    const std::string port = url_part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    std::string host = url_part(url.get(), CURLUPART_HOST);
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    endpoint.needs_resolver = host != "localhost" && !is_numeric_address(host);
    endpoint.url = url_part(url.get(), CURLUPART_URL);
    endpoint.host = host;
    libcurl().url_set(url.get(), CURLUPART_USER, nullptr, 0);
    libcurl().url_set(url.get(), CURLUPART_PASSWORD, nullptr, 0);
    endpoint.shown = printable(url_part(url.get(), CURLUPART_URL));
    return endpoint;
}

std::uint16_t local_port(std::string_view url) {
    return url.starts_with("unix://") || is_remote_url(url) ? 0 : port_of_url(url);
}

struct SupervisorTransport::Handle {
    std::optional<TlsClient> tls;
    CurlList headers;
    std::array<char, CURL_ERROR_SIZE> error{};
    CurlHandle curl;  // last, as it uses the others
};

SupervisorTransport::SupervisorTransport(Endpoint endpoint, const Secret& user, const Secret& pass,
                                         OwnerRule rule, Connect connect)
    : endpoint_(std::move(endpoint)), rule_(rule), connect_(std::move(connect)),
      handle_(std::make_unique<Handle>()) {
    if (endpoint_.is_unix()) {
        if (!user.empty())
            login_ = base64(std::string(user.view()).append(":").append(pass.view()));
        if (!connect_)
            connect_ = [this](std::chrono::milliseconds limit) {
                return connect_here(endpoint_.socket_path, rule_, limit);
            };
        return;
    }
    tcp_owners_.emplace();
    handle_->curl.reset(libcurl().easy_init());
    CURL* curl = handle_->curl.get();
    if (curl == nullptr)
        throw std::runtime_error("libcurl gives no handle");
    for (const char* header : {"Content-Type: text/xml", "Connection: close", "Expect:"})
        append_to(handle_->headers, header);

    libcurl().easy_setopt(curl, CURLOPT_URL, endpoint_.url.c_str());
    libcurl().easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
    libcurl().easy_setopt(curl, CURLOPT_PREREQDATA, this);
    libcurl().easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    libcurl().easy_setopt(curl, CURLOPT_PROXY, "");
    libcurl().easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    libcurl().easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    // An idle connection makes some versions of supervisord spin.
    libcurl().easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    libcurl().easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    libcurl().easy_setopt(curl, CURLOPT_HTTPHEADER, handle_->headers.get());
    libcurl().easy_setopt(curl, CURLOPT_USERAGENT, "healthcheckd");
    libcurl().easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    libcurl().easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    libcurl().easy_setopt(curl, CURLOPT_ERRORBUFFER, handle_->error.data());
    libcurl().easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    if (!user.empty()) {
        libcurl().easy_setopt(curl, CURLOPT_USERNAME, std::string(user.view()).c_str());
        libcurl().easy_setopt(curl, CURLOPT_PASSWORD, std::string(pass.view()).c_str());
    }

    if (endpoint_.tls) {
        auto trusting = TlsClient::trusting(system_ca_file());
        if (!trusting)
            throw std::runtime_error("supervisordUrl is https, but " + trusting.error().text());
        handle_->tls = std::move(*trusting);
        handle_->tls->apply(curl);
    }
}

SupervisorTransport::~SupervisorTransport() = default;

HttpReply SupervisorTransport::post(const std::string& body, std::chrono::milliseconds limit) {
    limit_ = limit;
    deadline_ = Clock::now() + limit;
    return endpoint_.is_unix() ? post_unix(body, limit) : post_tcp(body, limit);
}

HttpReply SupervisorTransport::post_unix(const std::string& body, std::chrono::milliseconds limit) {
    const std::string who = "supervisord at " + endpoint_.shown;
    const Connection made = connect_(limit);
    HttpReply reply;
    reply.code = kCallUnreachable;
    reply.lost = !made.lost.empty();
    reply.denied = made.told.error == EACCES || made.told.error == EPERM;
    if (reply.lost)
        reply.message = who + " was not asked: " + made.lost;
    else if (!made.told.message.empty())
        return {kCallRefused, who + " " + made.told.message, {}};
    else if (made.told.error == ETIMEDOUT)
        reply.message = who + " cannot be reached: no connection within " +
                        number_text(std::chrono::duration<double>(limit).count()) + " s";
    else if (made.told.error != 0)
        reply.message = who + " cannot be reached: " + error_text(made.told.error);
    if (!reply.message.empty())
        return reply;
    if (!made.told.believed || !made.socket) {
        reply.code = kCallRefused;
        reply.message = who + " " + rule_.refusal(made.told.owner);
        return reply;
    }
    owner_ = rule_.seen = made.told.owner;
    listener_ = made.told.pid;
    HttpExchange exchange = post_over(made.socket.get(), login_, body, kMaxAnswer, deadline_);
    switch (exchange.end) {
    case HttpExchange::End::too_large:
        return too_large(who);
    case HttpExchange::End::late:
        return late(who, limit);
    case HttpExchange::End::broken:
        return {kCallBadAnswer, who + " did not answer as expected: " + exchange.detail, {}};
    case HttpExchange::End::whole:
        break;
    }
    return by_status(who, exchange.status, std::move(exchange.body));
}

int SupervisorTransport::before_request(void* self, char* remote, char* local, int remote_port,
                                        int local_port) {
    auto& transport = *static_cast<SupervisorTransport*>(self);
    try {
        transport.judge(
            {local, static_cast<std::uint16_t>(local_port), remote, static_cast<std::uint16_t>(remote_port)});
    } catch (const std::exception&) {
        return CURL_PREREQFUNC_ABORT;  // an exception must not pass through libcurl
    }
    return transport.refusal_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

// A process on another machine cannot be identified: there the URL is trusted. On this machine, a process
// that cannot be identified is rejected.
void SupervisorTransport::judge(const TcpEnds& ends) {
    const std::string who = "supervisord at " + endpoint_.shown;
    const TcpOwner found = tcp_owners_->other_end(ends, deadline_);
    switch (found.kind) {
    case TcpOwner::Kind::known:
        if (rule_.believes(found.uid))
            owner_ = rule_.seen = found.uid;
        else
            refusal_ = HttpReply{kCallRefused, who + " " + rule_.refusal(found.uid), {}};
        return;
    case TcpOwner::Kind::waiting:
        refusal_ = late(who, limit_);
        return;
    case TcpOwner::Kind::not_here:
        if (is_this_machine(ends))
            refusal_ = HttpReply{kCallRefused,
                                 who + " is not believed: no process of this machine is at the other end, so "
                                       "nobody knows whose it is (a port that is forwarded?)",
                                 {}};
        return;
    case TcpOwner::Kind::not_to_say:
        if (is_this_machine(ends))
            refusal_ = HttpReply{kCallRefused,
                                 who + " is not believed, as nobody knows whose it is: " + found.why +
                                     "; a unix socket in supervisordUrl (unix:///path) says whose it is",
                                 {}};
        return;
    }
}

HttpReply SupervisorTransport::post_tcp(const std::string& body, std::chrono::milliseconds limit) {
    refusal_.reset();
    CURL* curl = handle_->curl.get();
    Received received;
    handle_->error[0] = '\0';
    libcurl().easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    libcurl().easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    libcurl().easy_setopt(curl, CURLOPT_WRITEDATA, &received);
    libcurl().easy_setopt(curl, CURLOPT_HEADERDATA, &received);
    libcurl().easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    libcurl().easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limit.count()));
    const CURLcode result = libcurl().easy_perform(curl);

    HttpReply reply;
    const std::string who = "supervisord at " + endpoint_.shown;
    const std::string detail =
        printable(handle_->error[0] != '\0' ? handle_->error.data() : libcurl().easy_strerror(result), 300);
    long status = 0;
    long os_error = 0;
    long connections = 0;
    libcurl().easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    libcurl().easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
    libcurl().easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);

    if (refusal_)
        return std::move(*refusal_);
    if (received.too_large)
        return too_large(who);
    if (result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST) {
        reply.code = kCallUnreachable;
        reply.denied = os_error == EACCES || os_error == EPERM;
        reply.message =
            who + " cannot be reached: " + (os_error != 0 ? error_text(static_cast<int>(os_error)) : detail);
    } else if (result == CURLE_OPERATION_TIMEDOUT && connections == 0) {
        reply.code = kCallUnreachable;
        reply.message = who + " cannot be reached: no connection within " +
                        number_text(std::chrono::duration<double>(limit).count()) + " s";
    } else if (result == CURLE_OPERATION_TIMEDOUT) {
        return late(who, limit);
    } else if (const std::string why = tls_fault(curl, result, detail, endpoint_.host); !why.empty()) {
        reply.code = kCallBadAnswer;
        reply.message = who + " did not answer as expected: " + why;
    } else if (result != CURLE_OK) {
        reply.code = kCallBadAnswer;
        reply.message = who + " did not answer as expected: " + detail;
    } else {
        return by_status(who, static_cast<int>(status), std::move(received.body));
    }
    return reply;
}

}  // namespace healthcheckd::master
