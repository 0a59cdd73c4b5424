#include "common/sandbox/landlock.h"

#include "common/system/unique_fd.h"

#include <algorithm>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace healthcheckd {

namespace {

// Values newer than the headers of Linux 6.1, which Debian 12 builds with; from the kernel's
// include/uapi/linux/landlock.h.
constexpr std::uint64_t kTruncate = 1ULL << 14;     // ABI 3, Linux 6.2
constexpr std::uint64_t kIoctlDev = 1ULL << 15;     // ABI 5, Linux 6.10
constexpr std::uint64_t kBindTcp = 1ULL << 0;       // ABI 4, Linux 6.7
constexpr std::uint64_t kConnectTcp = 1ULL << 1;    // ABI 4
constexpr std::uint64_t kAbstractUnix = 1ULL << 0;  // ABI 6, Linux 6.12
constexpr std::uint64_t kSignal = 1ULL << 1;        // ABI 6
constexpr int kRulePort = 2;                        // LANDLOCK_RULE_NET_PORT

constexpr int kAbiRefer = 2;  // Linux 5.19
constexpr int kAbiTruncate = 3;
constexpr int kAbiIoctl = 5;

// struct landlock_ruleset_attr as of ABI 6. An older kernel accepts the longer struct if the rest is zero, so
// only fields that its ABI knows are set.
struct RulesetAttr {
    std::uint64_t handled_access_fs = 0;
    std::uint64_t handled_access_net = 0;
    std::uint64_t scoped = 0;
};

struct PortAttr {
    std::uint64_t allowed_access;
    std::uint64_t port;
};

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kReadTree = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
// All rights for regular files and folders, without devices and execution.
constexpr std::uint64_t kWriteTree = kReadTree | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                     LANDLOCK_ACCESS_FS_REFER | kTruncate;

std::uint64_t file_rights(int abi) {
    std::uint64_t rights = LANDLOCK_ACCESS_FS_REFER - 1;  // the 13 of ABI 1
    if (abi >= kAbiRefer)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= kAbiTruncate)
        rights |= kTruncate;
    if (abi >= kAbiIoctl)
        rights |= kIoctlDev;
    return rights;
}

Result<void> allow_path(int ruleset, const std::string& path, std::uint64_t rights) {
    const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place)
        return {};  // a path that does not exist cannot be opened either
    struct stat status {};
    if (::fstat(place.get(), &status) != 0)
        return system_error("fstat " + path);
    landlock_path_beneath_attr rule{};
    // The kernel rejects folder rights for a file.
    rule.allowed_access =
        S_ISDIR(status.st_mode) ? rights : rights & (kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate);
    rule.parent_fd = place.get();
    if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        return system_error("rule for " + path);
    return {};
}

}  // namespace

int landlock_abi() {
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : static_cast<int>(abi);
}

int landlock_abi(const SandboxProfile& profile) {
    return std::min(landlock_abi(), profile.landlock_abi);
}

Result<void> enter_landlock(const SandboxProfile& profile, std::vector<std::string>& missing) {
    const int abi = landlock_abi(profile);
    if (abi == 0) {
        missing.emplace_back("landlock");
        return {};
    }
    RulesetAttr attr;
    attr.handled_access_fs = file_rights(abi);
    // Nobody may listen. Connecting is denied to profiles without TCP and, where the profile names ports,
    // limited to these. seccomp restricts UDP and raw sockets.
    const bool any_port = profile.inet && profile.tcp_ports.empty();
    if (abi >= kLandlockPorts)
        attr.handled_access_net = any_port ? kBindTcp : kBindTcp | kConnectTcp;
    else
        missing.emplace_back("landlock ports");
    if (abi >= kLandlockScopes)
        attr.scoped = kAbstractUnix | kSignal;
    else
        missing.emplace_back("landlock scopes");

    const UniqueFd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0)));
    if (!ruleset)
        return system_error("create_ruleset");
    for (const std::string& path : profile.readable)
        if (auto added = allow_path(ruleset.get(), path, kReadTree); !added)
            return added;
    for (const std::string& path : profile.writable)
        if (auto added = allow_path(ruleset.get(), path, kWriteTree & attr.handled_access_fs); !added)
            return added;
    if ((attr.handled_access_net & kConnectTcp) != 0)
        for (const std::uint16_t port : profile.tcp_ports) {
            const PortAttr rule{kConnectTcp, port};
            if (::syscall(SYS_landlock_add_rule, ruleset.get(), kRulePort, &rule, 0) != 0)
                return system_error("rule for port " + std::to_string(port));
        }
    if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
        return system_error("restrict_self");
    return {};
}

}  // namespace healthcheckd
