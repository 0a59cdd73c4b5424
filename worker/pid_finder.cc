#include "worker/pid_finder.h"

#include "common/line_codec.h"
#include "common/proc_stat.h"
#include "common/process_title.h"
#include "common/unique_fd.h"
#include "worker/pid_file.h"
#include "worker/procfs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <dirent.h>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <vector>

namespace healthcheckd::worker {

namespace {

constexpr std::size_t kMaxCommandLine = 128 * 1024;  // one argument may have as much (execve(2))
constexpr int kMaxAncestors = 1000;

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

std::optional<ProcStat> stat_of(pid_t pid) {
    std::array<char, 2048> buffer;
    const auto text = read_text(fmt::format("/proc/{}/stat", pid), buffer);
    return text ? parse_proc_stat(*text) : std::nullopt;
}

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

class NameFinder final : public PidFinder {
public:
    NameFinder(std::string name, pid_t master)
        : name_(std::move(name)), master_(master), buffer_(kMaxCommandLine) {}

    FoundProcess find() override {
        const std::unique_ptr<DIR, CloseFolder> proc(::opendir("/proc"));
        if (!proc)
            return {{}, Verdict::unknown, system_error("open /proc").text()};
        Candidate best;
        while (const dirent* entry = ::readdir(proc.get())) {
            const std::string_view name = entry->d_name;
            pid_t pid = 0;
            const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
            if (error != std::errc() || end != name.data() + name.size() || pid <= 1)
                continue;
            const Candidate candidate = look_at(pid);
            if (candidate.better_than(best) && !in_tree_of(pid, master_))
                best = candidate;
        }
        if (best.match == NameMatch::none && processes_hidden())
            return {{}, Verdict::unknown, std::string(kHidden)};
        if (best.match == NameMatch::none)
            return {{}, Verdict::idle, fmt::format("no process goes by the name {}", printable(name_))};
        return {best.process, Verdict::success, {}};
    }

private:
    struct Candidate {
        NameMatch match = NameMatch::none;
        ProcessId process;

        bool better_than(const Candidate& other) const {
            if (match != other.match)
                return match > other.match;
            return match != NameMatch::none && process.start_ticks < other.process.start_ticks;
        }
    };

    // A process that ends while we look is none.
    Candidate look_at(pid_t pid) {
        const auto command_line = read_text(fmt::format("/proc/{}/cmdline", pid), buffer_);
        // Another healthcheckd, or a -o beside the daemon, names in its titles what it looks at.
        if (!command_line || command_line->empty() || command_line->starts_with(kTitlePrefix))
            return {};
        const auto stat = stat_of(pid);
        if (!stat)
            return {};
        return {match_name(*command_line, stat->comm, name_), ProcessId{pid, stat->start_ticks}};
    }

    std::string name_;
    pid_t master_;
    std::vector<char> buffer_;
};

}  // namespace

NameMatch match_name(std::string_view command_line, std::string_view comm, std::string_view name) {
    if (name.empty())
        return NameMatch::none;
    const std::string_view program = command_line.substr(0, command_line.find('\0'));
    if (comm == name || base_name(program) == name)
        return NameMatch::name;
    constexpr std::string_view separators("\0 \t\n", 4);
    for (std::size_t begin = 0; begin < command_line.size();) {
        const std::size_t end = std::min(command_line.find_first_of(separators, begin), command_line.size());
        const std::string_view word = command_line.substr(begin, end - begin);
        if (word == name || base_name(word) == name)
            return NameMatch::word;
        begin = end + 1;
    }
    std::string text(command_line);
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text.find(name) != std::string::npos ? NameMatch::text : NameMatch::none;
}

bool in_tree_of(pid_t pid, pid_t ancestor) {
    for (int i = 0; i < kMaxAncestors && pid > 0; ++i) {
        if (pid == ancestor)
            return true;
        const auto stat = stat_of(pid);
        if (!stat)
            return false;
        pid = stat->ppid;
    }
    return false;
}

bool processes_hidden() {
    return !stat_of(1);
}

std::unique_ptr<PidFinder> make_pid_finder(const CatConfig& cat, pid_t master) {
    if (!cat.measures_process() || cat.whole_machine())
        return nullptr;
    switch (cat.pid_get) {
    case PidGet::supervisor:
        return nullptr;
    case PidGet::name:
        return std::make_unique<NameFinder>(cat.program.substr(cat.program.rfind(':') + 1), master);
    case PidGet::file:
        return std::make_unique<PidFile>(cat.pid_file, master);
    }
    __builtin_unreachable();
}

}  // namespace healthcheckd::worker
