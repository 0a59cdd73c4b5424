#include "common/proc/procfs.h"

#include "common/system/unique_fd.h"
#include "common/text/split.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace healthcheckd {

namespace {

constexpr std::string_view kBlanks = " \t";

// Removes and returns the next word of `text`, up to a blank or the end of the line.
std::string_view next_word(std::string_view& text) {
    text = trimmed_front(text, kBlanks);
    const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
    text.remove_prefix(word.size());
    return word;
}

template <class T> bool next_number(std::string_view& text, T& value) {
    const std::string_view word = next_word(text);
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc() && end == word.data() + word.size();
}

// Returns the text after `name:` at the start of a line, up to the end of the line; nullopt when there is
// none.
std::optional<std::string_view> line_of(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (line.starts_with(name) && line.substr(name.size()).starts_with(':'))
            return line.substr(name.size() + 1);
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return std::nullopt;
}

}  // namespace

Result<std::string_view> read_text(int fd, std::span<char> buffer) {
    const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), 0);
    if (n < 0)
        return system_error("read");
    return std::string_view(buffer.data(), static_cast<std::size_t>(n));
}

Result<std::string_view> read_text(const std::string& path, std::span<char> buffer) {
    return read_text_at(AT_FDCWD, path.c_str(), buffer);
}

Result<std::string_view> read_text_at(int folder, const char* name, std::span<char> buffer) {
    const UniqueFd file(::openat(folder, name, O_RDONLY | O_CLOEXEC));
    if (!file)
        return system_error(std::string("open ") + name);
    auto text = read_text(file.get(), buffer);
    if (!text)
        return Error{std::string("read ") + name, text.error().code};
    return text;
}

std::optional<std::uint64_t> resident_pages(std::string_view statm) {
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (!next_number(statm, size) || !next_number(statm, resident))
        return std::nullopt;
    return resident;
}

std::optional<std::uint64_t> kilobytes(std::string_view text, std::string_view name) {
    auto line = line_of(text, name);
    std::uint64_t value = 0;
    if (!line || !next_number(*line, value) || next_word(*line) != "kB")
        return std::nullopt;
    return value;
}

std::optional<MachineTicks> machine_ticks(std::string_view stat) {
    // Columns: user nice system idle iowait irq softirq steal; guest times follow.
    constexpr std::size_t kIdle = 3, kIowait = 4;
    std::array<std::uint64_t, 8> ticks{};
    if (next_word(stat) != "cpu")
        return std::nullopt;
    MachineTicks machine;
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        if (!next_number(stat, ticks[i]))
            return std::nullopt;
        machine.total += ticks[i];
        if (i != kIdle && i != kIowait)
            machine.busy += ticks[i];
    }
    return machine;
}

std::optional<StatusIds> status_ids(std::string_view status) {
    auto group = line_of(status, "Tgid");
    auto parent = line_of(status, "PPid");
    auto uids = line_of(status, "Uid");
    StatusIds ids;
    if (!group || !parent || !uids || !next_number(*group, ids.thread_group) ||
        !next_number(*parent, ids.parent) || !next_number(*uids, ids.real_uid) ||
        !next_number(*uids, ids.effective_uid))
        return std::nullopt;
    // The pid in each of them, the innermost one last (proc_pid_status(5)).
    if (auto pids = line_of(status, "NSpid"); pids && pids->end() != status.end())
        while (!next_word(*pids).empty())
            ++ids.pid_namespaces;
    return ids;
}

}  // namespace healthcheckd
