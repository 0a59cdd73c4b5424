#include "worker/probe/tls_stream.h"

#include "common/net/address.h"
#include "common/net/openssl.h"
#include "common/net/tls_fault.h"
#include "common/text/concat.h"
#include "common/text/number.h"
#include "common/text/printable.h"
#include "worker/probe/tcp_connect.h"
#include "worker/probe/tls_name.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <stdexcept>

namespace healthcheckd::worker {

namespace {

constexpr char kClosed[] = "TLS: the connection was closed during the handshake";

// The oldest error in OpenSSL's queue, in its words; "": there is none.
std::string reason() {
    const char* text = openssl().ERR_reason_error_string(openssl().ERR_peek_error());
    return text != nullptr ? printable(text, 200) : "";
}

void require(bool done, const char* what) {
    if (!done)
        throw std::runtime_error(concat("OpenSSL: ", what, ": ", reason()));
}

}  // namespace

void TlsStream::Free::operator()(SSL_CTX* context) const {
    openssl().SSL_CTX_free(context);
}

void TlsStream::Free::operator()(SSL* session) const {
    openssl().SSL_free(session);
}

TlsStream::TlsStream(const TlsClient& tls, const std::string& host, std::chrono::milliseconds timeout)
    : host_(host), timeout_(timeout), context_(openssl().SSL_CTX_new(openssl().TLS_client_method())) {
    if (host_.starts_with('[') && host_.ends_with(']'))
        host_ = host_.substr(1, host_.size() - 2);
    if (host_.find(':') != std::string::npos)
        host_ = host_.substr(0, host_.find('%'));  // the interface of RFC 4007
    is_address_ = is_numeric_address(host_);
    if (!is_address_ && host_.ends_with('.'))
        host_.pop_back();
    require(context_ != nullptr, "no context");
    // SSL_CTX_set_min_proto_version()
    require(openssl().SSL_CTX_ctrl(context_.get(), SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr) ==
                1,
            "TLS 1.2");
    // SSL_CTX_set_mode(): a piece of the request may move when the rest is sent.
    openssl().SSL_CTX_ctrl(context_.get(), SSL_CTRL_MODE,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, nullptr);
    // SSL_CTX_set_session_cache_mode(): in a resumed session the server does not send its certificate, which may have
    // expired.
    openssl().SSL_CTX_ctrl(context_.get(), SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, nullptr);
    // Servers end a connection without an end of TLS. The end of a head shows whether it is whole.
    openssl().SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    constexpr unsigned char kHttp[] = "\x08http/1.1";  // RFC 7301, 3.1
    require(openssl().SSL_CTX_set_alpn_protos(context_.get(), kHttp, sizeof kHttp - 1) == 0, "ALPN");
    if (tls.store() == nullptr)
        return;
    openssl().SSL_CTX_set1_cert_store(context_.get(), tls.store());
    openssl().SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
}

void TlsStream::Free::operator()(X509* certificate) const {
    openssl().X509_free(certificate);
}

std::unique_ptr<SSL, TlsStream::Free> TlsStream::new_session() const {
    std::unique_ptr<SSL, Free> session(openssl().SSL_new(context_.get()));
    require(session != nullptr, "no session");
    // SSL_set_tlsext_host_name(): for a name only (RFC 6066, 3).
    if (!is_address_)
        require(openssl().SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                   const_cast<char*>(host_.c_str())) == 1,
                "the server's name");
    return session;
}

TlsStream::Opened TlsStream::open(UniqueFd connection, Clock::time_point deadline) {
    close();
    openssl().ERR_clear_error();
    connection_ = std::move(connection);
    session_ = new_session();
    failed_ = false;
    require(openssl().SSL_set_fd(session_.get(), connection_.get()) == 1, "the connection");
    for (;;) {
        openssl().ERR_clear_error();
        errno = 0;
        const int result = openssl().SSL_connect(session_.get());
        if (result == 1)
            return named();
        const int error = openssl().SSL_get_error(session_.get(), result);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            Opened failed = refused(error);
            session_.reset();  // no close_notify without a handshake
            close();
            return failed;
        }
        if (!wait_for(connection_.get(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) {
            session_.reset();
            close();
            return {.finding = {Verdict::failure,
                                concat("TLS: connected, but the handshake was not over within ",
                                       number_text(std::chrono::duration<double>(timeout_).count()), " s")}};
        }
    }
}

TlsStream::Opened TlsStream::named() {
    if (!verifies())
        return {.ok = true};
    const std::unique_ptr<X509, Free> certificate(openssl().SSL_get1_peer_certificate(session_.get()));
    if (certificate && is_for_host(certificate.get(), host_, is_address_))
        return {.ok = true};
    close();
    return {.distrusted = true,
            .finding = {Verdict::failure, tls_certificate_fault(is_address_ ? X509_V_ERR_IP_ADDRESS_MISMATCH
                                                                            : X509_V_ERR_HOSTNAME_MISMATCH,
                                                                host_)}};
}

bool TlsStream::verifies() const {
    return openssl().SSL_CTX_get_verify_mode(context_.get()) != SSL_VERIFY_NONE;
}

TlsStream::Opened TlsStream::refused(int error) const {
    if (error == SSL_ERROR_SYSCALL || error == SSL_ERROR_ZERO_RETURN)
        return {.finding = {Verdict::failure, kClosed}};
    const unsigned long code = openssl().ERR_peek_error();
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
        return {.finding = {Verdict::unknown, "OpenSSL: " + reason()}};
    const long verified = openssl().SSL_get_verify_result(session_.get());
    if (verified != X509_V_OK && verifies())
        return {.distrusted = true, .finding = {Verdict::failure, tls_certificate_fault(verified, host_)}};
    return {.finding = {Verdict::failure, tls_handshake_fault(reason())}};
}

ByteStream::Moved TlsStream::outcome(int result, std::size_t bytes) {
    if (result == 1)
        return {State::moved, bytes};
    const int sys_error = errno;
    switch (openssl().SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
        return {State::wait, 0, {}, POLLIN};
    case SSL_ERROR_WANT_WRITE:
        return {State::wait, 0, {}, POLLOUT};
    case SSL_ERROR_ZERO_RETURN:
        return {State::ended};
    default:
        break;
    }
    std::string why = reason();
    if (why.empty())
        why = sys_error != 0 ? ::strerrordesc_np(sys_error) : "closed without an end of TLS";
    failed_ = true;
    return {State::lost, 0, std::move(why)};
}

ByteStream::Moved TlsStream::send(std::string_view bytes, bool) {
    std::size_t sent = 0;
    openssl().ERR_clear_error();
    errno = 0;
    const int result = openssl().SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &sent);
    return outcome(result, sent);
}

ByteStream::Moved TlsStream::receive(char* buffer, std::size_t size) {
    std::size_t received = 0;
    openssl().ERR_clear_error();
    errno = 0;
    const int result = openssl().SSL_read_ex(session_.get(), buffer, size, &received);
    return outcome(result, received);
}

void TlsStream::close() {
    // A session that has failed must not be shut down (SSL_get_error(3)).
    if (session_ && !failed_)
        openssl().SSL_shutdown(session_.get());
    session_.reset();
    if (connection_)
        end_connection(std::move(connection_));
}

}  // namespace healthcheckd::worker
