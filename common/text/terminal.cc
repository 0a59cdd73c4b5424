#include "common/text/terminal.h"

#include <algorithm>

namespace healthcheckd {

namespace {

constexpr char kEscape = '\x1b';
constexpr std::size_t kMostControl = 64;    // maximum of a control sequence in bytes
constexpr std::size_t kMostCommand = 1024;  // maximum of an operating system command: a title, a link

bool within(char c, char first, char last) {
    return c >= first && c <= last;
}

// Returns the length of the sequence at the beginning of `text`, which begins with ESC; 2 when it does
// not end within its maximum.
std::size_t sequence_length(std::string_view text) {
    if (text.size() < 2)
        return text.size();
    if (text[1] == '[') {
        for (std::size_t i = 2; i < std::min(text.size(), kMostControl); ++i)
            if (!within(text[i], ' ', '?'))
                return within(text[i], '@', '~') ? i + 1 : i;
        return text.size() < kMostControl ? text.size() : 2;  // truncated by the end of the text
    }
    if (text[1] == ']') {
        for (std::size_t i = 2; i < std::min(text.size(), kMostCommand); ++i) {
            if (text[i] == '\a')
                return i + 1;
            if (text[i] == kEscape)
                return i + 1 < text.size() && text[i + 1] == '\\' ? i + 2 : i;
        }
        return 2;
    }
    std::size_t i = 1;
    while (i < std::min(text.size(), kMostControl) && within(text[i], ' ', '/'))
        ++i;
    return i < text.size() && within(text[i], '0', '~') ? i + 1 : i;
}

}  // namespace

std::string without_terminal_sequences(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t plain = std::min(text.find(kEscape), text.size());
        out.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (!text.empty())
            text.remove_prefix(sequence_length(text));
    }
    return out;
}

}  // namespace healthcheckd
