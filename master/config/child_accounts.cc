#include "master/config/child_accounts.h"

#include "common/config/values.h"
#include "common/proc/proc_status.h"
#include "common/sandbox/sandbox.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <grp.h>
#include <memory>
#include <optional>
#include <pwd.h>
#include <set>
#include <sys/resource.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr std::uint64_t kFirstUser = 1'000;  // lower uids are the system's
constexpr std::uint64_t kLastUser =
    0xffff'fffd;                    // larger numbers mean nobody in a user namespace, or no user
constexpr uid_t kNoUid16 = 65'535;  // means no user where uids have 16 bits
constexpr int kMostEntries = 1'000'000;
constexpr std::uint64_t kMostTried = 2'000;  // uids of the range
constexpr int kMostProcesses = 1'000'000;

// Not decltype(&std::fclose): its attributes (glibc 2.38) cannot be part of a template argument.
struct CloseFile {
    void operator()(FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, CloseFile>;

File open_file(const std::string& path) {
    return File(std::fopen(path.c_str(), "re"));
}

// Returns the first number in a line of /proc/PID/status; nullopt: there is none.
std::optional<std::uint64_t> status_of(pid_t pid, std::string_view name) {
    const auto text = proc_status(pid, name);
    return text ? std::optional<std::uint64_t>(std::strtoull(text->c_str(), nullptr, 10)) : std::nullopt;
}

}  // namespace

// The kernel is asked whether the uid has any process, as in WorkerUids; only then are the processes
// searched. Reading /proc/PID/status waits for no lock that another process holds.
bool is_used(uid_t uid, pid_t family) {
    errno = 0;
    if (::getpriority(PRIO_USER, uid) == -1 && errno == ESRCH)
        return false;
    std::error_code error;
    std::filesystem::directory_iterator entry("/proc", error);
    for (int n = 0; n < kMostProcesses && !error && entry != std::filesystem::directory_iterator();
         entry.increment(error), ++n) {
        const pid_t pid = std::atoi(entry->path().filename().c_str());
        if (pid > 0 && status_of(pid, "Uid") == uid &&
            status_of(pid, "PPid") != static_cast<std::uint64_t>(family))
            return true;
    }
    return false;
}

Result<UidRange> parse_uid_range(std::string_view text) {
    if (lower(text) == "off")
        return kNoUids;
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos)
        return Error{"must be off, or two numbers such as 61184-65519"};
    const auto first = parse_whole(text.substr(0, dash), kFirstUser, kLastUser);
    const auto last = parse_whole(text.substr(dash + 1), kFirstUser, kLastUser);
    if (!first || !last)
        return first ? last.error() : first.error();
    if (*first >= *last)
        return Error{"must be two numbers or more, the lower one first"};
    const UidRange range{static_cast<uid_t>(*first), static_cast<uid_t>(*last)};
    if (range.holds(kNobody) || range.holds(kNoUid16))
        return Error{"must not hold 65534 or 65535, which stand for nobody and for none"};
    return range;
}

std::string uid_range_text(const UidRange& range) {
    return range.off() ? "off" : std::to_string(range.first) + "-" + std::to_string(range.last);
}

std::string find_accounts(Config& config, const std::string& passwd, const std::string& group,
                          const std::function<bool(uid_t)>& used) {
    const UidRange& range = config.worker_uids;
    config.mailer_uid = config.mailer_gid = range.off() ? kNobody : range.first;
    std::set<uid_t> taken;
    bool found = false;
    if (const File users = open_file(passwd)) {
        const struct passwd* user = nullptr;
        for (int i = 0; i < kMostEntries && (user = ::fgetpwent(users.get())) != nullptr; ++i) {
            if (range.holds(user->pw_uid))
                taken.insert(user->pw_uid);
            if (std::string_view(user->pw_name) == kMailerUser && user->pw_uid != 0) {
                config.mailer_uid = user->pw_uid;
                config.mailer_gid = user->pw_gid;
                found = true;
            }
        }
    }
    if (const File groups = open_file(group)) {
        const struct group* entry = nullptr;
        for (int i = 0; i < kMostEntries && (entry = ::fgetgrent(groups.get())) != nullptr; ++i)
            if (range.holds(entry->gr_gid))
                taken.insert(entry->gr_gid);
    }
    if (range.off())
        return {};
    if (!found) {
        // The same uid each time if possible, since it owns the spool, and none of the workers'.
        const pid_t master = ::getppid();
        const std::uint64_t most = std::min<std::uint64_t>(range.last, range.first + kMostTried);
        uid_t uid = range.first;
        while (uid < most && (taken.contains(uid) || (used ? used(uid) : is_used(uid, master))))
            ++uid;
        config.mailer_uid = config.mailer_gid = uid;
    }
    config.taken_uids.assign(taken.begin(), taken.end());
    config.taken_uids.resize(std::min(config.taken_uids.size(), kMostTakenUids));
    // One more uid is needed for the mailer.
    if (taken.size() > kMostTakenUids || taken.size() >= std::uint64_t{range.last} - range.first)
        return "too many of its numbers belong to somebody: " + std::to_string(taken.size());
    return {};
}

}  // namespace healthcheckd::master
