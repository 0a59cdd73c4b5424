#include "common/file/folder_walk.h"

#include "common/text/printable.h"

#include <array>
#include <climits>
#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <string_view>
#include <sys/stat.h>

namespace healthcheckd {

namespace {

constexpr int kMostLinks = 40;  // the kernel's own limit (path_resolution(7))
constexpr mode_t kOthers = S_IWGRP | S_IWOTH;

// One walk. The remaining path is a string; the target of a link is put in front of it.
class Walk {
public:
    Walk(const std::string& path, const WalkRules& rules) : rules_(rules), rest_(path) {}

    Result<WalkedFolder> run() {
        if (!rest_.starts_with('/'))
            return Error{"the path " + printable(rest_) + " is not absolute"};
        if (auto rooted = to_root(); !rooted)
            return rooted.error();
        for (std::string name = next(); !name.empty(); name = next())
            if (auto gone = go(name); !gone)
                return gone.error();
        return WalkedFolder{std::move(here_), std::move(foreign_), foreign_uid_, place_, sticky_};
    }

private:
    // Removes and returns the next name of the path; "" at its end.
    std::string next() {
        rest_.erase(0, std::min(rest_.find_first_not_of('/'), rest_.size()));
        std::string name = rest_.substr(0, rest_.find('/'));
        rest_.erase(0, name.size());
        return name;
    }

    Result<void> to_root() {
        here_ = UniqueFd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        place_.clear();
        struct stat status {};
        if (!here_ || ::fstat(here_.get(), &status) != 0)
            return system_error("open /");
        look_at(status);
        return {};
    }

    Result<void> go(const std::string& name) {
        const std::string place = place_ + '/' + name;
        UniqueFd there = open(name);
        // Another process may create it at the same time.
        if (!there && errno == ENOENT && rules_.create &&
            (::mkdirat(here_.get(), name.c_str(), 0777) == 0 || errno == EEXIST))
            there = open(name);
        if (!there)
            return system_error("open " + printable(place));
        struct stat status {};
        if (::fstat(there.get(), &status) != 0)
            return system_error("fstat " + printable(place));
        if (S_ISLNK(status.st_mode))
            return follow(place, there.get());
        if (!S_ISDIR(status.st_mode))
            return Error{"open " + printable(place), ENOTDIR};
        here_ = std::move(there);
        place_ = place;
        look_at(status);
        return {};
    }

    // Opens a symbolic link itself, not its target.
    UniqueFd open(const std::string& name) const {
        return UniqueFd(::openat(here_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    }

    Result<void> follow(const std::string& place, int link) {
        // Anybody may create a link in a sticky folder.
        if (!rules_.trusted_links || !foreign_.empty() || sticky_)
            return Error{printable(place) + " is a symbolic link", ELOOP};
        std::array<char, PATH_MAX> target;
        const ssize_t n = ::readlinkat(link, "", target.data(), target.size());
        if (n <= 0 || ++links_ > kMostLinks)
            return system_error("follow the symbolic link " + printable(place), n < 0 ? errno : ELOOP);
        rest_.insert(0, std::string(target.data(), static_cast<std::size_t>(n)) + '/');
        return rest_.starts_with('/') ? to_root() : Result<void>{};
    }

    void look_at(const struct stat& status) {
        sticky_ = (status.st_mode & kOthers) != 0 && (status.st_mode & S_ISVTX) != 0;
        const bool own = status.st_uid == 0 || status.st_uid == rules_.self ||
                         status.st_uid == rules_.other || status.st_uid == rules_.outside;
        const mode_t others = rules_.roots_group && status.st_gid == 0 ? S_IWOTH : kOthers;
        const bool shared = (status.st_mode & others) != 0 && !sticky_;
        if (foreign_.empty() && (!own || shared)) {
            foreign_ = place_.empty() ? "/" : place_;
            foreign_uid_ = status.st_uid;
        }
    }

    const WalkRules rules_;
    std::string rest_;
    std::string place_;  // of here_, without a trailing '/'
    UniqueFd here_;
    std::string foreign_;
    uid_t foreign_uid_ = 0;
    bool sticky_ = false;  // everybody may create names in here_
    int links_ = 0;
};

}  // namespace

std::optional<uid_t> outside_owner() {
    constexpr std::uint64_t kUsual = 65534;
    constexpr int kMostExtents = 340;  // maximum of a map (user_namespaces(7))
    std::uint64_t overflow = kUsual;
    std::ifstream("/proc/sys/kernel/overflowuid") >> overflow;
    std::ifstream map("/proc/self/uid_map");
    std::uint64_t inside = 0, outside = 0, count = 0;
    for (int i = 0; i < kMostExtents && map >> inside >> outside >> count; ++i)
        if (inside <= overflow && overflow < inside + count)
            return std::nullopt;
    return map.eof() ? std::optional(static_cast<uid_t>(overflow)) : std::nullopt;
}

Result<WalkedFolder> open_folder(const std::string& path, const WalkRules& rules) {
    return Walk(path, rules).run();
}

}  // namespace healthcheckd
