#include "master/supervisord/http.h"

#include "common/system/result.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <poll.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxHeaders = 64u << 10;

// Returns whether the socket became ready before the deadline.
bool wait_for(int socket, short events, Clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0)
            return false;
        pollfd ready{socket, events, 0};
        const int n = ::poll(&ready, 1, static_cast<int>(left.count()));
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return true;  // the next read or write returns the error
    }
}

HttpExchange broken(std::string detail) {
    HttpExchange exchange;
    exchange.detail = std::move(detail);
    return exchange;
}

HttpExchange ended(HttpExchange::End end) {
    HttpExchange exchange;
    exchange.end = end;
    return exchange;
}

// Writes all of it. The link ignores SIGPIPE, so a closed peer is an error.
std::optional<HttpExchange> send_all(int socket, std::string_view bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(socket, bytes.data(), bytes.size());
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            if (!wait_for(socket, POLLOUT, deadline))
                return ended(HttpExchange::End::late);
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return std::nullopt;  // what the peer sent before it closed matters
        } else if (errno != EINTR) {
            return broken(system_error("send").text());
        }
    }
    return std::nullopt;
}

bool same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) {
        const auto lower = [](unsigned char c) {
            return c >= 'A' && c <= 'Z' ? c + 32 : c;
        };
        return lower(x) == lower(y);
    });
}

struct Head {
    int status = 0;
    std::optional<std::size_t> length;
    bool coded = false;  // Transfer-Encoding, which HTTP/1.0 does not have
};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

// Returns nullopt when it is not HTTP.
std::optional<Head> parse_head(std::string_view text) {
    Head head;
    std::string_view first = text.substr(0, text.find('\n'));
    if (!first.starts_with("HTTP/1.") || first.size() < 12 || first[8] != ' ')
        return std::nullopt;
    const auto read = std::from_chars(first.data() + 9, first.data() + 12, head.status);
    if (read.ec != std::errc() || read.ptr != first.data() + 12)
        return std::nullopt;
    text.remove_prefix(std::min(text.size(), first.size() + 1));
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos)
            continue;
        const std::string_view value = trimmed(line.substr(colon + 1));
        if (same_word(line.substr(0, colon), "Transfer-Encoding"))
            head.coded = true;
        if (!same_word(line.substr(0, colon), "Content-Length"))
            continue;
        std::size_t length = 0;
        const auto number = std::from_chars(value.data(), value.data() + value.size(), length);
        if (number.ec != std::errc() || number.ptr != value.data() + value.size())
            return std::nullopt;
        head.length = length;
    }
    return head;
}

// Returns where the body begins in `text`; npos: the headers are incomplete.
std::size_t body_of(std::string_view text) {
    const std::size_t crlf = text.find("\r\n\r\n");
    const std::size_t lf = text.find("\n\n");
    if (crlf == std::string_view::npos && lf == std::string_view::npos)
        return std::string_view::npos;
    return crlf < lf ? crlf + 4 : lf + 2;
}

HttpExchange receive(int socket, std::size_t most, Clock::time_point deadline) {
    std::string text;
    std::size_t body = std::string::npos;
    Head head;
    bool at_end = false;
    while (!at_end) {
        std::array<char, 65'536> buffer;
        const ssize_t n = ::read(socket, buffer.data(), buffer.size());
        if (n < 0 && errno == EAGAIN) {
            if (!wait_for(socket, POLLIN, deadline))
                return ended(HttpExchange::End::late);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return broken(system_error("receive").text());
        if (Clock::now() >= deadline)
            return ended(HttpExchange::End::late);
        at_end = n == 0;
        text.append(buffer.data(), static_cast<std::size_t>(n));
        if (body == std::string::npos) {
            body = body_of(text);
            if (body == std::string::npos ? text.size() > kMaxHeaders : body > kMaxHeaders)
                return ended(HttpExchange::End::too_large);
            if (body == std::string::npos)
                continue;
            const auto parsed = parse_head(std::string_view(text).substr(0, body));
            if (!parsed || parsed->coded)
                return broken("that is no HTTP/1.0");
            head = *parsed;
        }
        if (text.size() - body > most || head.length.value_or(0) > most)
            return ended(HttpExchange::End::too_large);
        if (head.length && text.size() - body >= *head.length)
            break;
    }
    if (body == std::string::npos)
        return broken(text.empty() ? "it closed the connection without an answer" : "that is no HTTP");
    if (head.length && text.size() - body < *head.length)
        return broken("it closed the connection within its answer");
    HttpExchange exchange;
    exchange.end = HttpExchange::End::whole;
    exchange.status = head.status;
    exchange.body = text.substr(body, head.length.value_or(std::string::npos));
    return exchange;
}

}  // namespace

HttpExchange post_over(int socket, std::string_view login, std::string_view body, std::size_t most,
                       Clock::time_point deadline) {
    std::string request = "POST /RPC2 HTTP/1.0\r\nHost: localhost\r\nUser-Agent: healthcheckd\r\n"
                          "Content-Type: text/xml\r\nConnection: close\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n";
    if (!login.empty())
        request.append("Authorization: Basic ").append(login).append("\r\n");
    request += "\r\n";
    request += body;
    if (auto failed = send_all(socket, request, deadline))
        return std::move(*failed);
    return receive(socket, most, deadline);
}

}  // namespace healthcheckd::master
