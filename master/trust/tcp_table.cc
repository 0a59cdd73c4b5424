#include "master/trust/tcp_table.h"

#include "common/text/split.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kMostRows = 200'000;
constexpr auto kMostTime = 2s;

// Formats "0100007F:1F90": each 32 bits of the address as a number in host byte order, then the port.
std::string shown(const TcpEnd& end, bool six) {
    std::array<std::uint8_t, 16> bytes{};
    std::size_t size = 4;
    if (!six || end.family == AF_INET6) {
        bytes = end.bytes;
        size = six ? 16 : 4;
    } else {  // ::ffff:127.0.0.1
        size = 16;
        bytes[10] = bytes[11] = 0xff;
        std::copy_n(end.bytes.begin(), 4, bytes.begin() + 12);
    }
    std::string text;
    for (std::size_t at = 0; at < size; at += 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, bytes.data() + at, sizeof word);
        text += fmt::format("{:08X}", word);
    }
    return text + fmt::format(":{:04X}", end.port);
}

std::string_view next_field(std::string_view& line) {
    line = trimmed_front(line, " ");
    const std::string_view field = line.substr(0, line.find(' '));
    line.remove_prefix(field.size());
    return field;
}

template <class T> bool read_number(std::string_view text, T& number, int base) {
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

// Columns: sl local remote state queues timer retransmits uid timeout inode ...
std::optional<TcpRow> row_of(std::string_view line, std::string_view own, std::string_view other) {
    next_field(line);
    if (next_field(line) != own || next_field(line) != other)
        return std::nullopt;
    TcpRow row;
    const std::string_view state = next_field(line);
    for (int skipped = 0; skipped < 3; ++skipped)
        next_field(line);
    const std::string_view uid = next_field(line);
    next_field(line);
    if (!read_number(state, row.state, 16) || !read_number(uid, row.uid, 10) ||
        !read_number(next_field(line), row.inode, 10))
        return std::nullopt;
    return row;
}

Result<std::optional<TcpRow>> search(int file, const std::string& own, const std::string& other,
                                     std::size_t& rows, Clock::time_point deadline) {
    if (::lseek(file, 0, SEEK_SET) < 0)
        return system_error("/proc/net/tcp");
    std::string text;
    std::array<char, 32768> buffer;
    for (;;) {
        const ssize_t n = ::read(file, buffer.data(), buffer.size());
        if (n < 0)
            return system_error("/proc/net/tcp");
        if (n == 0)
            return std::optional<TcpRow>();
        text.append(buffer.data(), static_cast<std::size_t>(n));
        std::size_t begin = 0;
        for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1, ++rows)
            if (auto row = row_of(std::string_view(text).substr(begin, end - begin), own, other))
                return row;
        text.erase(0, begin);
        if (rows > kMostRows || Clock::now() > deadline || text.size() > buffer.size())
            return Error{"there are too many sockets to look for the one in /proc/net/tcp"};
    }
}

}  // namespace

TcpTable::TcpTable()
    : files_{UniqueFd(::open("/proc/net/tcp", O_RDONLY | O_CLOEXEC)),
             UniqueFd(::open("/proc/net/tcp6", O_RDONLY | O_CLOEXEC))} {}

Result<std::optional<TcpRow>> TcpTable::find(const TcpEnd& own, const TcpEnd& other) const {
    std::size_t rows = 0;
    const Clock::time_point deadline = Clock::now() + kMostTime;
    bool looked = false;
    for (const bool six : {false, true}) {
        const UniqueFd& file = files_[six ? 1 : 0];
        if (!file || (!six && own.family == AF_INET6))
            continue;
        looked = true;
        auto found = search(file.get(), shown(own, six), shown(other, six), rows, deadline);
        if (!found || *found)
            return found;
    }
    if (!looked)
        return Error{"/proc/net/tcp cannot be read"};
    return std::optional<TcpRow>();
}

}  // namespace healthcheckd::master
