#include "worker/probe/http_body.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace healthcheckd::worker {

namespace {

constexpr std::uint64_t kMostSize = std::uint64_t{1} << 60;  // of a chunk

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return static_cast<unsigned>(c - '0');
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f')
        return static_cast<unsigned>(lower - 'a' + 10);
    return std::nullopt;
}

}  // namespace

HttpBody::HttpBody(const HttpHead& head, bool none) : chunked_(head.chunked()) {
    const int status = head.status();
    if (none || status < 200 || status == 204 || status == 304) {
        part_ = Part::end;
    } else if (chunked_) {
        part_ = Part::size;
    } else if (head.length()) {
        left_ = *head.length();
        part_ = left_ > 0 ? Part::data : Part::end;
    }
}

void HttpBody::take(std::string_view bytes) {
    bytes_ += bytes.size();
    while (!bytes.empty() && part_ != Part::end && part_ != Part::until_close) {
        if (part_ != Part::data) {
            take_char(bytes.front());
            bytes.remove_prefix(1);
            continue;
        }
        const auto n = std::min<std::uint64_t>(left_, bytes.size());
        bytes.remove_prefix(static_cast<std::size_t>(n));
        left_ -= n;
        if (left_ == 0)
            part_ = chunked_ ? Part::data_end : Part::end;
    }
}

// Of what is around the data of chunks.
void HttpBody::take_char(char c) {
    if (part_ == Part::size)
        if (const auto digit = hex_digit(c)) {
            left_ = left_ * 16 + *digit;
            line_empty_ = false;
            if (left_ > kMostSize)
                part_ = Part::until_close;
            return;
        }
    if (c != '\n') {
        if (part_ == Part::size)
            part_ = line_empty_ ? Part::until_close : Part::extension;
        line_empty_ = line_empty_ && c == '\r';
        return;
    }
    const bool empty = std::exchange(line_empty_, true);
    if (part_ == Part::data_end)
        part_ = Part::size;
    else if (part_ == Part::trailer)
        part_ = empty ? Part::end : Part::trailer;
    else
        part_ = empty ? Part::until_close : left_ > 0 ? Part::data : Part::trailer;
}

}  // namespace healthcheckd::worker
