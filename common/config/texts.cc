#include "common/config/texts.h"

#include "common/config/values.h"
#include "common/text/printable.h"
#include "common/text/width.h"

#include <algorithm>
#include <arpa/inet.h>
#include <climits>
#include <sys/un.h>
#include <utility>

namespace healthcheckd {

namespace {

constexpr std::size_t kMaxHost = 253;  // RFC 1035, as text
constexpr std::size_t kMaxUrl = 1000;
constexpr std::size_t kMaxAddress = 254;  // RFC 5321
constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

constexpr std::size_t kMaxName = 64;  // characters

// Sorted. Invisible characters beyond ASCII: controls, blanks, direction marks, characters without a
// glyph, and unassigned ones.
constexpr std::pair<char32_t, char32_t> kUnseen[] = {
    {0x80, 0xa0},     {0xad, 0xad},       {0x61c, 0x61c},   {0x115f, 0x1160}, {0x1680, 0x1680},
    {0x180b, 0x180f}, {0x2000, 0x200f},   {0x2028, 0x202f}, {0x205f, 0x206f}, {0x2800, 0x2800},
    {0x3000, 0x3000}, {0x3164, 0x3164},   {0xe000, 0xf8ff}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xfff0, 0xffff}, {0xe0000, 0x10ffff}};

bool is_seen(char32_t c) {
    return std::ranges::none_of(kUnseen,
                                [c](const auto& range) { return range.first <= c && c <= range.second; });
}

Result<void> check_characters(std::string_view text, std::size_t max, std::string_view allowed_controls) {
    constexpr char kHex[] = "0123456789ABCDEF";
    if (text.empty())
        return Error{"must not be empty"};
    if (text.size() > max)
        return Error{"is longer than " + std::to_string(max) + " bytes"};
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t n = utf8_length(text.substr(i));
        if (n == 0)
            return Error{"is not valid UTF-8"};
        const auto byte = static_cast<unsigned char>(n == 2 && text[i] == '\xc2' ? text[i + 1] : text[i]);
        const bool control = byte == 0x7f || byte < 0x20 || (n == 2 && text[i] == '\xc2' && byte < 0xa0);
        if (control && allowed_controls.find(text[i]) == std::string_view::npos)
            return Error{std::string("holds a line break or another control character (0x") +
                         kHex[byte >> 4] + kHex[byte & 15] + ")"};
        i += n;
    }
    return {};
}

bool is_ipv6(std::string_view text) {
    // A zone ("fe80::1%eth0", RFC 4007) names the interface; inet_pton(3) does not accept it.
    const std::string address(text.substr(0, text.find('%')));
    in6_addr unused{};
    return ::inet_pton(AF_INET6, address.c_str(), &unused) == 1;
}

// Returns the authority (host and port) of a URL: the part between "://" and the path.
std::string_view authority(std::string_view url) {
    const std::size_t start = url.find("://");
    if (start == std::string_view::npos)
        return {};
    url.remove_prefix(start + 3);
    return url.substr(0, url.find_first_of("/?#"));
}

// Splits "host:port"; the port is empty when there is none.
void split_port(std::string_view text, std::string_view& host, std::string_view& port) {
    const std::size_t bracket = text.find(']');
    const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
    host = text.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
}

bool is_digits(std::string_view text) {
    return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Returns whether `text`, which should be a URL, may contain a password: "http://user:pass%40host".
bool may_hold_login(std::string_view text) {
    if (text.find('@') != std::string_view::npos || text.find("%40") != std::string_view::npos)
        return true;
    const bool url = text.find("://") != std::string_view::npos;
    const std::string_view place = url ? authority(text) : text.substr(0, text.find('/'));
    if (is_ipv6(place))
        return false;
    std::string_view host, port;
    split_port(place, host, port);
    return !is_digits(port) || host.find('%') != std::string_view::npos;
}

// Returns the subject of an error about `text`.
std::string in_quotes_without_login(std::string_view text) {
    return may_hold_login(text) ? "it" : in_quotes(text);
}

// Checks the port of a URL. The error does not quote a port that is not a number: it may be a password.
Result<void> check_port(std::string_view port) {
    if (!is_digits(port))
        return Error{"port is not a plain whole number: what stands before a host is user:pass@, with '@'"};
    if (Result<std::uint64_t> number = parse_whole(port, 1, 65535); !number)
        return Error{"port " + number.error().what};
    return {};
}

}  // namespace

Result<void> check_line(std::string_view text, std::size_t max) {
    return check_characters(text, max, "");
}

Result<void> check_script(std::string_view text, std::size_t max) {
    return check_characters(text, max, "\n\t");
}

Result<void> check_login(std::string_view text) {
    if (Result<void> line = check_line(text, 255); !line)
        return line;
    if (text.find(':') != std::string_view::npos)
        return Error{
            "must not hold a colon: basic authentication (RFC 7617) could not tell it from the password"};
    return {};
}

Result<void> check_program(std::string_view text) {
    if (Result<void> line = check_line(text, 255); !line)
        return line;
    if (text.find_first_not_of(' ') == std::string_view::npos)
        return Error{"must not be empty"};
    return {};
}

Result<void> check_cat_name(std::string_view text) {
    std::size_t characters = 0;
    bool good = text != "." && text != ".." && !text.starts_with(' ') && !text.ends_with(' ');
    for (std::size_t i = 0; i < text.size() && good; ++characters) {
        const std::size_t n = utf8_length(text.substr(i));
        good = n > 1 ? is_seen(character(text.substr(i), n))
                     : n == 1 && (kNameCharacters.find(text[i]) != std::string_view::npos || text[i] == ':' ||
                                  text[i] == ' ');
        i += n;
    }
    if (good && characters > 0 && characters <= kMaxName)
        return {};
    return Error{in_quotes(text) +
                 " is no name for a cat: use 1 to 64 letters of any language, digits, _ . - : "
                 "and blanks within"};
}

Result<void> check_webhook_name(std::string_view text) {
    if (text.empty() || text.size() > kMaxName || text == "." || text == ".." ||
        text.find_first_not_of(kNameCharacters) != std::string_view::npos)
        return Error{in_quotes(text) + " is no name for a webhook: use 1 to 64 of A-Z a-z 0-9 _ . -"};
    return {};
}

Result<std::string> parse_host(std::string_view text) {
    if (Result<void> line = check_line(text, kMaxHost); !line)
        return line.error();
    const bool brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
    const std::string_view bare = brackets ? text.substr(1, text.size() - 2) : text;
    if (is_ipv6(bare))
        return std::string(bare);
    if (text.find("://") != std::string_view::npos)
        return Error{in_quotes_without_login(text) + " is a URL: give only the host here"};
    if (brackets || text.find_first_of(" /?#@[]\\%") != std::string_view::npos)
        return Error{in_quotes_without_login(text) + " is neither a host name nor an address"};
    if (text.find(':') != std::string_view::npos)
        return Error{in_quotes_without_login(text) +
                     " is no IPv6 address; a port is given by the key 'port'"};
    return std::string(text);
}

Result<void> check_request_path(std::string_view text) {
    if (Result<void> line = check_line(text, 4096); !line)
        return line;
    if (!text.starts_with('/'))
        return Error{in_quotes_without_login(text) + " must begin with '/'"};
    if (text.find_first_of(" #") != std::string_view::npos)
        return Error{in_quotes(text) + " must not hold a space (write %20) or a '#'"};
    return {};
}

Result<void> check_absolute_path(std::string_view text) {
    if (Result<void> line = check_line(text, PATH_MAX - 1); !line)
        return line;
    if (!text.starts_with('/'))
        return Error{in_quotes(text) + " must be an absolute path"};
    return {};
}

Result<void> check_socket_path(std::string_view text) {
    if (Result<void> path = check_absolute_path(text); !path)
        return path;
    if (text.size() >= sizeof(sockaddr_un::sun_path))
        return Error{in_quotes(text) + " is longer than the 107 bytes that a socket's path may have"};
    return {};
}

Result<void> check_address(std::string_view text) {
    if (Result<void> line = check_line(text, kMaxAddress); !line)
        return line;
    // Servers accept non-ASCII characters only with SMTPUTF8 (RFC 6531).
    if (std::ranges::any_of(text, [](unsigned char c) { return c >= 0x80; }))
        return Error{in_quotes(text) +
                     " has a character that is not ASCII: write the domain in its xn-- form"};
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == text.size() ||
        text.find('@', at + 1) != std::string_view::npos ||
        text.find_first_of(" <>,;:\"()[]\\") != std::string_view::npos)
        return Error{in_quotes(text) + " is no mail address (name@example.org)"};
    return {};
}

Result<void> check_helo(std::string_view text) {
    if (Result<void> line = check_line(text, kMaxHost); !line)
        return line;
    std::string address(text);
    if (text.starts_with('[') && text.ends_with(']')) {
        address = text.substr(1, text.size() - 2);
        in_addr unused{};
        const bool v6 = lower(address).starts_with("ipv6:") && address.find('%') == std::string::npos &&
                        is_ipv6(std::string_view(address).substr(5));
        if (v6 || ::inet_pton(AF_INET, address.c_str(), &unused) == 1)
            return {};
    } else if (text.find_first_not_of(kNameCharacters) == std::string_view::npos && !text.starts_with('.') &&
               !text.ends_with('.')) {
        return {};
    }
    return Error{in_quotes(text) +
                 " is neither a host name nor an address in brackets ([192.0.2.1], [IPv6:2001:db8::1])"};
}

Result<std::string> entry_address(std::string_view text) {
    const std::size_t open = text.rfind('<');
    if (open != std::string_view::npos && text.ends_with('>')) {
        // The display name; only the address is sent to servers.
        const std::string_view name = text.substr(0, open);
        if (name.find_first_of("<>") != std::string_view::npos)
            return Error{in_quotes(text) + " is no mail address (Name <name@example.org>)"};
        text = text.substr(open + 1, text.size() - open - 2);
    }
    const Result<void> checked = check_address(text);
    return checked ? Result<std::string>(std::string(text)) : checked.error();
}

std::string with_lower_scheme(std::string_view url) {
    const std::size_t end = std::min(url.find("://"), url.size());
    return lower(url.substr(0, end)) + std::string(url.substr(end));
}

Result<void> check_supervisord_url(std::string_view text) {
    if (Result<void> line = check_line(text, kMaxUrl); !line)
        return line;
    if (text.starts_with("unix://")) {
        const std::string_view path = text.substr(7);
        // sun_path of unix(7) holds 108 bytes with the final NUL.
        if (!path.starts_with('/') || path.size() > 107)
            return Error{in_quotes_without_login(text) +
                         " needs an absolute path of at most 107 bytes after unix://"};
        return {};
    }
    // Checked first, since the other errors quote the URL, which may then hold a password.
    if (text.find('@') != std::string_view::npos)
        return Error{
            "must hold a '@' only behind http://user:pass or https://user:pass, where '@', '/', '?', '#' "
            "and '%' are written as %40, %2F, %3F, %23 and %25; or use supervisordUser and "
            "supervisordPass"};
    if (!text.starts_with("http://") && !text.starts_with("https://"))
        return Error{in_quotes_without_login(text) + " must begin with unix://, http:// or https://"};
    const std::string_view place = authority(text);
    if (text.find_first_of(" ?#") != std::string_view::npos)
        return Error{in_quotes_without_login(text) + " must not hold a space, '?' or '#'"};
    std::string_view host, port;
    split_port(place, host, port);
    if (Result<std::string> checked = parse_host(host); !checked)
        return Error{"host " + checked.error().what};
    return !port.empty() || place.ends_with(':') ? check_port(port) : Result<void>();
}

Result<void> check_webhook_url(std::string_view text) {
    if (Result<void> line = check_line(text, kMaxUrl); !line)
        return line;
    if (!text.starts_with("http://") && !text.starts_with("https://"))
        return Error{"must begin with http:// or https://"};
    if (text.find_first_of(" #\\") != std::string_view::npos)
        return Error{"must not hold a space, '#' or backslash"};
    const std::string_view place = authority(text);
    if (place.find('@') != std::string_view::npos)
        return Error{"must not hold a user or password: give an Authorization header in headers"};
    std::string_view host, port;
    split_port(place, host, port);
    if (!parse_host(host))
        return Error{"has no host name or address after '//'"};
    return !port.empty() || place.ends_with(':') ? check_port(port) : Result<void>();
}

bool is_remote_url(std::string_view url) {
    if (url.starts_with("unix://"))
        return false;
    std::string_view host, port;
    split_port(authority(url), host, port);
    const std::string name = lower(host);
    in_addr address{};
    const bool loopback4 =
        ::inet_pton(AF_INET, name.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
    return !(name == "localhost" || name == "localhost." || name == "[::1]" || loopback4);
}

std::uint16_t port_of_url(std::string_view url) {
    std::string_view host, port;
    split_port(authority(url), host, port);
    if (port.empty())
        return url.starts_with("https:") ? 443 : 80;
    const Result<std::uint64_t> number = parse_whole(port, 1, 65535);
    return number ? static_cast<std::uint16_t>(*number) : 0;
}

}  // namespace healthcheckd
