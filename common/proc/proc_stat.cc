#include "common/proc/proc_stat.h"

#include "common/system/unique_fd.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace healthcheckd {

namespace {

// Field numbers in proc(5).
constexpr int kState = 3, kPpid = 4, kUtime = 14, kStime = 15, kStartTime = 22;

template <class T> bool parse_number(std::string_view text, T& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
    // The name is between the first '(' and the last ')': it may contain parentheses, blanks and newlines.
    const std::size_t open = text.find('(');
    const std::size_t close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open)
        return std::nullopt;
    ProcStat stat;
    stat.comm = text.substr(open + 1, close - open - 1);
    std::string_view rest = text.substr(close + 1);
    for (int field = kState; field <= kStartTime; ++field) {
        if (!rest.starts_with(' '))
            return std::nullopt;
        rest.remove_prefix(1);
        const std::size_t end = std::min(rest.find_first_of(" \n"), rest.size());
        const std::string_view value = rest.substr(0, end);
        rest.remove_prefix(end);
        bool ok = true;
        if (field == kState)
            ok = value.size() == 1 && (stat.state = value[0]) != '\0';
        else if (field == kPpid)
            ok = parse_number(value, stat.ppid);
        else if (field == kUtime)
            ok = parse_number(value, stat.utime);
        else if (field == kStime)
            ok = parse_number(value, stat.stime);
        else if (field == kStartTime)
            ok = parse_number(value, stat.start_ticks);
        if (!ok)
            return std::nullopt;
    }
    return stat;
}

Result<ProcStat> read_proc_stat(pid_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return system_error("open " + path);
    // 52 numbers and a name of at most 64 bytes (kernel threads) are far shorter.
    std::array<char, 2048> buffer;
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0)
        return system_error("read " + path);
    auto stat = parse_proc_stat({buffer.data(), static_cast<std::size_t>(n)});
    if (!stat)
        return Error{"read " + path, EPROTO};
    return std::move(*stat);
}

Result<std::uint64_t> start_ticks_of(pid_t pid) {
    const auto stat = read_proc_stat(pid);
    if (!stat)
        return stat.error();
    return stat->start_ticks;
}

}  // namespace healthcheckd
