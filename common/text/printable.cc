#include "common/text/printable.h"

namespace healthcheckd {

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return static_cast<unsigned char>(text[i]);
    };
    const unsigned char lead = byte(0);
    const std::size_t n = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : (lead & 0xf0) == 0xe0       ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    if (n == 0 || n > text.size())
        return 0;
    for (std::size_t i = 1; i < n; ++i)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
        (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f))
        return 0;
    return n;
}

namespace {

bool is_plain(std::string_view text) {
    for (const char c : text)
        if (c < 0x20 || c >= 0x7f)
            return false;
    return true;
}

}  // namespace

std::string printable(std::string_view text, std::size_t max) {
    constexpr char kHex[] = "0123456789ABCDEF";
    if (text.size() <= max && is_plain(text))
        return std::string(text);
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (out.size() >= max)
            return out + "...";
        const std::size_t n = utf8_length(text.substr(i));
        const auto byte = static_cast<unsigned char>(text[i]);
        // C1 controls (U+0080 to U+009F) control a terminal, too.
        const bool c1 = n == 2 && byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (n == 0 || c1 || (n == 1 && (byte < 0x20 || byte == 0x7f))) {
            out += "\\x";
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
            ++i;
        } else {
            out += text.substr(i, n);
            i += n;
        }
    }
    return out;
}

}  // namespace healthcheckd
