#include "common/wire/line_codec.h"

#include "common/text/digits.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace healthcheckd {

namespace {

constexpr char kHex[] = "0123456789ABCDEF";

int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool must_encode(unsigned char c, bool in_message) {
    if (c == '%' || c == 0x7f)
        return true;
    return in_message ? c < 0x20 : c <= 0x20 || c > 0x7f;
}

}  // namespace

void LineWriter::raw(std::string_view text) {
    // One byte stays free for the newline.
    if (overflow_ || text.size() > kMaxLine - 1 - size_) {
        overflow_ = true;
        return;
    }
    std::memcpy(buffer_.data() + size_, text.data(), text.size());
    size_ += text.size();
}

void LineWriter::key(std::string_view name) {
    raw(" ");
    raw(name);
    raw("=");
}

bool LineWriter::encoded(char c, bool in_message) {
    const auto byte = static_cast<unsigned char>(c);
    const bool escape = must_encode(byte, in_message);
    if (kMaxLine - 1 - size_ < (escape ? 3u : 1u))
        return false;
    if (escape) {
        buffer_[size_++] = '%';
        buffer_[size_++] = kHex[byte >> 4];
        buffer_[size_++] = kHex[byte & 15];
    } else {
        buffer_[size_++] = c;
    }
    return true;
}

LineWriter& LineWriter::number(std::string_view name, std::uint64_t value) {
    key(name);
    raw(Digits::whole(value).text());
    return *this;
}

LineWriter& LineWriter::integer(std::string_view name, std::int64_t value) {
    key(name);
    char digits[24];
    raw({digits, static_cast<std::size_t>(std::to_chars(digits, std::end(digits), value).ptr - digits)});
    return *this;
}

LineWriter& LineWriter::real(std::string_view name, double value) {
    key(name);
    raw(Digits::general(value).text());
    return *this;
}

LineWriter& LineWriter::word(std::string_view name, std::string_view value) {
    key(name);
    for (const char c : value)
        if (!overflow_ && !encoded(c, false))
            overflow_ = true;
    return *this;
}

LineWriter& LineWriter::message(std::string_view text) {
    key("msg");
    for (const char c : text)
        if (overflow_ || !encoded(c, true))
            break;
    return *this;
}

std::string_view LineWriter::line() {
    if (overflow_)
        return {};
    if (!finished_) {
        buffer_[size_++] = '\n';
        finished_ = true;
    }
    return {buffer_.data(), size_};
}

LineReader::LineReader(std::string_view line) {
    const std::size_t space = line.find(' ');
    kind_ = line.substr(0, space);
    rest_ = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
    ok_ = line.size() < kMaxLine && !kind_.empty() && (space == std::string_view::npos || !rest_.empty());
}

std::string_view LineReader::value_of(std::string_view key) {
    if (rest_.size() <= key.size() || !rest_.starts_with(key) || rest_[key.size()] != '=') {
        ok_ = false;
        return {};
    }
    rest_.remove_prefix(key.size() + 1);
    const std::size_t space = rest_.find(' ');
    const std::string_view value = rest_.substr(0, space);
    rest_ = space == std::string_view::npos ? std::string_view{} : rest_.substr(space + 1);
    if (space != std::string_view::npos && rest_.empty())
        ok_ = false;  // a blank at the end of the line
    return value;
}

bool LineReader::decode(std::string_view text, bool in_message, std::string& out) {
    out.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            if (must_encode(static_cast<unsigned char>(text[i]), in_message))
                return false;
            out += text[i];
            continue;
        }
        const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return true;
}

namespace {

template <class T> bool parse_all(std::string_view text, T& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

LineReader& LineReader::number(std::string_view key, std::uint64_t& value) {
    if (ok_ && !parse_all(value_of(key), value))
        ok_ = false;
    return *this;
}

LineReader& LineReader::number(std::string_view key, std::uint32_t& value) {
    if (ok_ && !parse_all(value_of(key), value))
        ok_ = false;
    return *this;
}

LineReader& LineReader::integer(std::string_view key, std::int64_t& value) {
    if (ok_ && !parse_all(value_of(key), value))
        ok_ = false;
    return *this;
}

LineReader& LineReader::integer(std::string_view key, int& value) {
    if (ok_ && !parse_all(value_of(key), value))
        ok_ = false;
    return *this;
}

LineReader& LineReader::real(std::string_view key, double& value) {
    if (ok_ && (!parse_all(value_of(key), value) || !std::isfinite(value)))
        ok_ = false;
    return *this;
}

LineReader& LineReader::word(std::string_view key, std::string& value) {
    if (ok_ && !decode(value_of(key), false, value))
        ok_ = false;
    return *this;
}

LineReader& LineReader::message(std::string& text) {
    constexpr std::string_view kKey = "msg=";
    if (!ok_ || !rest_.starts_with(kKey) || !decode(rest_.substr(kKey.size()), true, text))
        ok_ = false;
    rest_ = {};
    return *this;
}

bool same_number(double a, double b) {
    return std::abs(a - b) <= 1e-8 * std::max(std::abs(a), std::abs(b));
}

}  // namespace healthcheckd
