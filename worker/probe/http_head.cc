#include "worker/probe/http_head.h"

#include "common/text/split.h"

#include <algorithm>
#include <charconv>
#include <strings.h>

namespace healthcheckd::worker {

namespace {

constexpr std::string_view kProtocol = "HTTP/";  // a version, blanks and the status follow
constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kDigits = "0123456789";

// Returns whether a status line can begin with `first` and then `next`.
bool may_begin(std::string_view first, std::string_view next) {
    const std::size_t at = std::min(first.size(), kProtocol.size());
    const std::string_view left = kProtocol.substr(at);
    const std::size_t n = std::min(left.size(), next.size());
    return same_word(left.substr(0, n), next.substr(0, n));
}

// Returns whether `word` is in a list that commas separate.
bool lists(std::string_view list, std::string_view word) {
    return std::ranges::any_of(
        split(list, ','), [word](std::string_view item) { return same_word(trimmed(item, kBlanks), word); });
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool is_final(int status) {
    return status == 101 || status >= 200;
}

std::size_t HttpHead::take(std::string_view bytes) {
    const std::size_t offered = bytes.size();
    while (state_ == State::incomplete && !bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
        // Whoever waits for the end of such a line may wait for ever.
        if (!in_headers_ && !may_begin(line_, part)) {
            state_ = State::no_http;
            break;
        }
        if (part.size() > most_ - taken_) {
            const std::size_t before = taken_ - line_.size();
            state_ = before < most_ / 2 ? State::line_too_long : State::too_large;
            break;
        }
        taken_ += part.size();
        bytes.remove_prefix(part.size());
        if (end != std::string_view::npos && line_.empty()) {
            on_line(part);
            continue;
        }
        line_ += part;
        if (end != std::string_view::npos) {
            on_line(line_);
            line_.clear();
        }
    }
    return offered - bytes.size();
}

void HttpHead::end() {
    if (state_ == State::incomplete && in_headers_ && line_.empty() && is_final(status_))
        state_ = State::complete;
}

void HttpHead::on_line(std::string_view line) {
    line.remove_suffix(1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    if (!in_headers_)
        return on_status_line(line);
    if (!line.empty()) {
        const std::size_t colon = std::min(line.find(':'), line.size());
        return on_header(line.substr(0, colon),
                         trimmed(line.substr(std::min(colon + 1, line.size())), kBlanks));
    }
    in_headers_ = false;
    if (is_final(status_))
        state_ = State::complete;
}

// As servers write it in practice: the protocol in any case, any version, any blanks before the code and any end
// behind its three digits (RFC 9112, 4, lets a recipient be so lenient).
void HttpHead::on_status_line(std::string_view line) {
    const bool protocol = same_word(line.substr(0, kProtocol.size()), kProtocol);
    const std::size_t at = protocol ? line.find_first_not_of("0123456789.", kProtocol.size()) : line.npos;
    const std::string_view version = protocol ? line.substr(kProtocol.size(), at - kProtocol.size()) : "";
    const std::size_t code = at == line.npos ? line.npos : line.find_first_not_of(kBlanks, at);
    if (version.empty() || code == line.npos || code == at) {
        state_ = State::no_http;
        return;
    }
    const std::string_view digits = line.substr(code, line.find_first_not_of(kDigits, code) - code);
    int status = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), status);
    if (digits.size() != 3 || status < 100) {
        state_ = State::no_http;
        return;
    }
    status_ = status;
    in_headers_ = true;
    length_.reset();
    chunked_ = false;
    closes_ = version == "1.0";
}

void HttpHead::on_header(std::string_view name, std::string_view value) {
    if (same_word(name, "Content-Length")) {
        std::uint64_t length = 0;
        const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), length);
        if (error == std::errc() && stop == value.data() + value.size())
            length_ = length;
    } else if (same_word(name, "Transfer-Encoding")) {
        chunked_ = lists(value, "chunked");
    } else if (same_word(name, "Connection")) {
        closes_ = closes_ || lists(value, "close");
    }
}

}  // namespace healthcheckd::worker
