#include "common/proc/pid_finder.h"

#include "common/proc/pid_file.h"
#include "common/proc/proc_stat.h"
#include "common/proc/procfs.h"
#include "common/system/process_title.h"
#include "common/system/unique_fd.h"
#include "common/text/printable.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <dirent.h>
#include <optional>
#include <set>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <sys/stat.h>
#include <vector>

namespace healthcheckd {

namespace {

constexpr std::size_t kMaxCommandLine = 128 * 1024;  // maximum of one argument (execve(2))
constexpr int kMaxAncestors = 1000;
constexpr std::size_t kShortName = 15;  // bytes of the name that the kernel keeps (proc(5), comm)

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// Returns the ids in a process's status file, which can always be read; nullopt when it has ended or is
// hidden.
std::optional<StatusIds> ids_of(const std::string& path) {
    std::array<char, 4096> buffer;
    const auto text = read_text(path, buffer);
    return text ? status_ids(*text) : std::nullopt;
}

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

class NameFinder final : public PidFinder {
public:
    NameFinder(std::string name, std::optional<uid_t> pid_user, pid_t master)
        : name_(std::move(name)), users_{0, ::geteuid()}, master_(master), buffer_(kMaxCommandLine) {
        if (pid_user)
            users_.insert(*pid_user);
        const auto own = read_text("/proc/self/status", buffer_);
        const auto ids = own ? status_ids(*own) : std::nullopt;
        own_namespaces_ = ids ? ids->pid_namespaces : 0;
    }

    FoundProcess look() override {
        const std::unique_ptr<DIR, CloseFolder> proc(::opendir("/proc"));
        if (!proc)
            return {{}, Verdict::unknown, system_error("open /proc").text()};
        supervised_.clear();
        // What runs healthcheckd is a supervisord by any name; from process 1 all descend.
        const auto master = ids_of(fmt::format("/proc/{}/status", master_));
        if (master && master->parent > 1)
            supervised_[master->parent] = true;
        Candidate best;
        pid_t not_looked_at = 0;
        bool is_sought = false;
        while (const dirent* entry = ::readdir(proc.get())) {
            const std::string_view name = entry->d_name;
            pid_t pid = 0;
            const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
            if (error != std::errc() || end != name.data() + name.size() || pid <= 1)
                continue;
            if (const Rest* const rest = left_out(pid)) {
                if (!is_sought)
                    not_looked_at = pid;
                is_sought = is_sought || rest->sought;
                continue;
            }
            const Candidate candidate = look_at(::dirfd(proc.get()), entry->d_name, pid, best);
            if (candidate.better_than(best) && !in_tree_of(pid, master_))
                best = candidate;
        }
        // The process that was left out may be the one sought, unless another one has exactly the name.
        if (is_sought || (best.match != NameMatch::name && not_looked_at != 0))
            return {{},
                    Verdict::unknown,
                    fmt::format("process {} cannot be looked at: reading of it hangs", not_looked_at)};
        if (best.match == NameMatch::none && processes_hidden())
            return {{}, Verdict::unknown, std::string(kHidden)};
        if (best.match == NameMatch::none)
            if (const auto other = stranger(); !other.empty())
                return {{}, Verdict::unknown, other};
        if (best.match == NameMatch::none)
            return {{},
                    Verdict::idle,
                    fmt::format("no process of user {} goes by the name {} (pidUser: names another user)",
                                users_text(), printable(name_))};
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

    bool believed(uid_t user) const { return users_.contains(user) || user == program_user(); }

    // Returns whether a process belongs to a container, which supervises its own. What a supervisord outside has started
    // in a pid namespace is no such process. A status file that is too long to be read to the end counts as another
    // namespace: a process in a container can make its own as long.
    bool in_container(const StatusIds& ids) {
        return ids.pid_namespaces != own_namespaces_ && !supervised(ids.parent);
    }

    // Returns whether a process, or an ancestor of it, is a supervisord in this pid namespace, by its short name or as
    // look() has noted it.
    bool supervised(pid_t pid) {
        std::vector<pid_t> path;
        bool found = false;
        for (int i = 0; i < kMaxAncestors && pid > 0 && !found; ++i) {
            if (const auto known = supervised_.find(pid); known != supervised_.end()) {
                found = known->second;
                break;
            }
            path.push_back(pid);
            const auto text = read_text(fmt::format("/proc/{}/status", pid), buffer_);
            const auto ids = text ? status_ids(*text) : std::nullopt;
            if (!ids)
                break;
            found = ids->pid_namespaces == own_namespaces_ && believed(ids->real_uid) &&
                    text->starts_with("Name:\tsupervisord\n");
            pid = ids->parent;
        }
        for (const pid_t each : path)
            supervised_[each] = found;
        return found;
    }

    // Returns "0 or 1000".
    std::string users_text() const {
        std::set<uid_t> users = users_;
        if (program_user())
            users.insert(*program_user());
        return fmt::format("{}", fmt::join(users, " or "));
    }

    // Returns why a process that is not considered may be the one sought, by its short name; "": there is none.
    std::string stranger() {
        const std::unique_ptr<DIR, CloseFolder> proc(::opendir("/proc"));
        const std::string short_name = name_.substr(0, kShortName);
        while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
            const std::string path = std::string(entry->d_name) + "/status";
            const auto text = path[0] >= '1' && path[0] <= '9'
                                  ? read_text_at(::dirfd(proc.get()), path.c_str(), buffer_)
                                  : Result<std::string_view>(Error{"no process"});
            const auto ids = text ? status_ids(*text) : std::nullopt;
            if (!ids || !text->starts_with("Name:\t" + short_name + "\n") ||
                text->find("\nState:\tZ") != std::string_view::npos)
                continue;
            if (in_container(*ids))
                return fmt::format(
                    "process {} in a container (another pid namespace) goes by the name {}, and "
                    "only those outside are believed to be it; if it is meant, say pidGet: file",
                    entry->d_name, printable(name_));
            // A set-user-ID program belongs to no trusted user, whatever its name.
            if (ids->real_uid == ids->effective_uid && !believed(ids->real_uid))
                return fmt::format("process {} of user {} goes by the name {}, and only those of user {} are "
                                   "believed to be it; if it is meant, say pidUser: {}",
                                   entry->d_name, ids->real_uid, printable(name_), users_text(),
                                   ids->real_uid);
        }
        return {};
    }

    // A process that ends meanwhile does not count. The order prevents a malicious user's process from making
    // this hang: its user is read first, which takes no lock; all else may wait for the process.
    Candidate look_at(int proc, const char* number, pid_t pid, const Candidate& best) {
        const UniqueFd folder(::openat(proc, number, O_PATH | O_DIRECTORY | O_CLOEXEC));
        struct stat status {};
        // The effective user owns this folder, even for a process that must not be traced: then only the
        // files in it belong to root (proc(5)).
        if (!folder || ::fstat(folder.get(), &status) != 0 || !believed(status.st_uid))
            return {};
        // The real user started it: anybody can start a program that is set-user-ID root.
        const auto text_of_status = read_text_at(folder.get(), "status", buffer_);
        const auto ids = text_of_status ? status_ids(*text_of_status) : std::nullopt;
        if (!ids || !believed(ids->real_uid) || !believed(ids->effective_uid) || in_container(*ids))
            return {};
        const Look look(*this, pid);
        const auto command_line = read_text_at(folder.get(), "cmdline", buffer_);
        // Titles of another healthcheckd, or of one with -o, contain the names of programs.
        if (!command_line || command_line->empty() || command_line->starts_with(kTitlePrefix))
            return {};
        std::array<char, 64> comm_buffer;
        const auto comm = read_text_at(folder.get(), "comm", comm_buffer);
        if (!comm)
            return {};
        const NameMatch match = match_name(*command_line, comm->substr(0, comm->rfind('\n')), name_);
        if (match == NameMatch::none || match < best.match)
            return {};
        std::array<char, 2048> stat_buffer;
        const auto text = read_text_at(folder.get(), "stat", stat_buffer);
        const auto stat = text ? parse_proc_stat(*text) : std::nullopt;
        return stat ? Candidate{match, {pid, stat->start_ticks}} : Candidate{};
    }

    std::string name_;
    std::set<uid_t> users_;
    pid_t master_;
    int own_namespaces_ = 0;
    std::map<pid_t, bool> supervised_;  // in the present look(): what supervised() has found
    std::vector<char> buffer_;
};

}  // namespace

NameMatch match_name(std::string_view command_line, std::string_view comm, std::string_view name) {
    if (name.empty())
        return NameMatch::none;
    constexpr std::string_view separators("\0 \t\n", 4);
    const std::string_view program = command_line.substr(0, command_line.find('\0'));
    std::string_view first = program.substr(0, program.find_first_of(separators));
    if (first.ends_with(':'))
        first.remove_suffix(1);
    if (base_name(program) == name || base_name(first) == name)
        return NameMatch::name;
    for (std::size_t begin = 0; begin < command_line.size();) {
        const std::size_t end = std::min(command_line.find_first_of(separators, begin), command_line.size());
        const std::string_view word = command_line.substr(begin, end - begin);
        if (word == name || base_name(word) == name)
            return comm == name ? NameMatch::name : NameMatch::word;
        begin = end + 1;
    }
    if (comm == name)
        return NameMatch::comm;
    std::string text(command_line);
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text.find(name) != std::string::npos ? NameMatch::text : NameMatch::none;
}

bool in_tree_of(pid_t pid, pid_t ancestor) {
    for (int i = 0; i < kMaxAncestors && pid > 0; ++i) {
        if (pid == ancestor)
            return true;
        const auto ids = ids_of(fmt::format("/proc/{}/status", pid));
        if (!ids)
            return false;
        pid = ids->parent;
    }
    return false;
}

bool processes_hidden() {
    return !ids_of("/proc/1/status");
}

std::unique_ptr<PidFinder> make_pid_finder(const CatConfig& cat, pid_t master) {
    if (!cat.measures_one_process())
        return nullptr;
    switch (cat.pid_get) {
    case PidGet::supervisor:
        return nullptr;
    case PidGet::name:
        return std::make_unique<NameFinder>(cat.program.substr(cat.program.rfind(':') + 1), cat.pid_user,
                                            master);
    case PidGet::file:
        return std::make_unique<PidFile>(cat.pid_file, master);
    }
    __builtin_unreachable();
}

}  // namespace healthcheckd
