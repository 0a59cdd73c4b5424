#include "common/text/mime.h"

#include "common/text/printable.h"
#include "common/text/split.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <resolv.h>
#include <sys/random.h>

namespace healthcheckd {

namespace {

constexpr std::size_t kMaxEncodedLine = 76;  // RFC 2045, 6.7
constexpr std::size_t kMaxHeaderLine = 78;   // RFC 5322, 2.1.1
// 56 bytes of base64, 68 with "=?UTF-8?B?" and "?=": within the 75 of RFC 2047.
constexpr std::size_t kEncodedWordBytes = 42;
constexpr char kHex[] = "0123456789ABCDEF";

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Makes text safe for a header: no control bytes, and UTF-8 (printable() writes other bytes as \xNN).
std::string clean(std::string_view text) {
    std::string out(text);
    std::ranges::replace_if(out, is_control, ' ');
    return printable(out, 4000);
}

// Returns one or several "=?UTF-8?B?...?=", each with whole characters (RFC 2047, 5).
std::string encoded_words(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        std::size_t n = std::min(text.size(), kEncodedWordBytes);
        while (n < text.size() && continues_character(text[n]))
            --n;
        if (!out.empty())
            out += "\r\n ";
        out += "=?UTF-8?B?" + base64(text.substr(0, n)) + "?=";
        text.remove_prefix(n);
    }
    return out;
}

// Breaks lines before blanks, so that unfolding restores the text. A word longer than a line stays whole, up
// to the maximum line length of 998 bytes.
std::string folded(std::string_view name, std::string_view text) {
    constexpr std::size_t kHardLimit = 900;
    std::string out;
    std::size_t column = name.size() + 1;
    bool first = true;
    while (!text.empty()) {
        const std::size_t end = std::min({text.find(' ', 1), text.size(), kHardLimit});
        const std::string_view word = text.substr(0, end);
        const bool only_blanks = word.find_first_not_of(' ') == std::string_view::npos;
        if (!first && !only_blanks && column + word.size() > kMaxHeaderLine) {
            out += word.starts_with(' ') ? "\r\n" : "\r\n ";
            column = 0;
        }
        out += word;
        column += word.size();
        first = false;
        text.remove_prefix(end);
    }
    return out;
}

}  // namespace

std::string base64(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size = ::b64_ntop(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                out.data(), out.size());
    out.resize(static_cast<std::size_t>(std::max(size, 0)));
    return out;
}

std::string header(std::string_view name, std::string_view text) {
    const std::string value = clean(text);
    // "=?" in plain text would be read as an encoded word.
    const bool plain = is_ascii(value) && value.find("=?") == std::string::npos;
    return std::string(name) + ":" + (plain ? folded(name, " " + value) : " " + encoded_words(value)) +
           "\r\n";
}

std::string address_header(std::string_view name, const std::vector<std::string>& addresses) {
    std::string out(name);
    out += ": ";
    for (std::size_t i = 0; i < addresses.size(); ++i)
        out += (i > 0 ? ",\r\n " : "") + bare_address(addresses[i]);
    return out + "\r\n";
}

std::string bare_address(std::string_view text) {
    const std::size_t open = text.find('<');
    if (open != std::string_view::npos) {
        text.remove_prefix(open + 1);
        text = text.substr(0, text.find('>'));
    }
    text = trimmed_front(text, " ");
    const auto end = std::ranges::find_if(text, [](char c) {
        return is_control(c) || std::string_view(" <>,;:()[]\\\"").find(c) != std::string_view::npos;
    });
    text = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    return std::string(text.substr(0, 320));  // RFC 5321, 4.5.3.1: 64 @ 255
}

std::string quoted_printable(std::string_view text) {
    std::string out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte == '\n') {
            out += "\r\n";
            column = 0;
            continue;
        }
        const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n';
        const bool blank = byte == ' ' || byte == '\t';
        // A dot or "From " at the beginning of a line is special in transport (RFC 5321, 4.5.2; mbox).
        const bool risky = column == 0 && (byte == '.' || text.substr(i).starts_with("From "));
        const bool literal = !risky && ((byte > 0x20 && byte < 0x7f && byte != '=') || (blank && !ends_line));
        const std::size_t width = literal ? 1 : 3;
        if (column + width > (ends_line ? kMaxEncodedLine : kMaxEncodedLine - 1)) {
            out += "=\r\n";
            column = 0;
        }
        if (literal) {
            out += static_cast<char>(byte);
        } else {
            out += '=';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
        column += width;
    }
    return out;
}

std::string mail_date(std::chrono::system_clock::time_point at) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    // strftime's %a and %b would depend on the locale.
    static constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char day[8], rest[40];
    std::strftime(day, sizeof day, "%d", &local);
    std::strftime(rest, sizeof rest, "%Y %H:%M:%S %z", &local);
    return std::string(kDays[static_cast<std::size_t>(local.tm_wday)]) + ", " + day + " " +
           std::string(kMonths[static_cast<std::size_t>(local.tm_mon)]) + " " + rest;
}

std::string new_message_id(std::string_view host) {
    std::array<unsigned char, 16> random{};
    // getrandom(2) returns up to 256 bytes completely or fails; then the time has to do.
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        auto now = std::chrono::system_clock::now().time_since_epoch().count();
        for (std::size_t i = 0; i < sizeof now; ++i, now >>= 8)
            random[i] = static_cast<unsigned char>(now & 0xff);
    }
    std::string id = "<";
    for (const unsigned char byte : random) {
        id += kHex[byte >> 4];
        id += kHex[byte & 15];
    }
    id += '@';
    std::string domain;
    for (const char c : host)
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
            (c == '.' && !domain.empty() && domain.back() != '.'))
            domain += c;
    while (domain.ends_with('.'))
        domain.pop_back();
    return id + (domain.empty() ? "localhost" : domain.substr(0, 255)) + ">";
}

}  // namespace healthcheckd
