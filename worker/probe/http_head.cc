#include "worker/probe/http_head.h"

#include <algorithm>
#include <cctype>

namespace healthcheckd::worker {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

// Returns the status in "HTTP/1.1 200 OK", a line without its line break.
std::optional<long> status_of(std::string_view line) {
    constexpr std::string_view kVersion = "HTTP/1.";  // a digit and a blank follow
    if (!line.starts_with(kVersion) || line.size() < kVersion.size() + 5)
        return std::nullopt;
    const std::string_view code = line.substr(kVersion.size() + 2, 3);
    const std::string_view behind = line.substr(kVersion.size() + 5);
    const bool plain =
        std::all_of(code.begin(), code.end(), [](unsigned char c) { return std::isdigit(c) != 0; }) &&
        line[kVersion.size() + 1] == ' ' && (behind.empty() || behind.front() == ' ');
    if (!plain)
        return std::nullopt;
    return (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
}

// Removes the first line from `text` and returns it; nullopt when it is incomplete.
std::optional<std::string_view> take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    if (end == kNone)
        return std::nullopt;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

}  // namespace

bool is_final(long status) {
    return status == 101 || status >= 200;
}

std::optional<long> final_status(std::string_view received) {
    while (const auto first = take_line(received)) {
        const auto status = status_of(*first);
        if (!status)
            return std::nullopt;
        auto line = take_line(received);
        while (line && !line->empty())
            line = take_line(received);
        if (!line)
            return std::nullopt;
        if (is_final(*status))
            return status;
    }
    return std::nullopt;
}

}  // namespace healthcheckd::worker
