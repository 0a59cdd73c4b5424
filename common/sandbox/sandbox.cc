#include "common/sandbox/sandbox.h"

#include "common/sandbox/landlock.h"
#include "common/sandbox/powers.h"
#include "common/sandbox/seccomp.h"
#include "common/sandbox/violation.h"
#include "common/system/child_fds.h"

#include <algorithm>
#include <csignal>
#include <functional>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace healthcheckd {

namespace {

// The kernel has at most 64 capabilities (capabilities(7)); unknown ones return EINVAL.
constexpr int kMaxCapability = 63;

constexpr std::uint32_t kTracing = 1U << CAP_SYS_PTRACE;
constexpr std::uint32_t kKilling = 1U << CAP_KILL;

// Returns whether the process has the capability whose bit `mask` is, one of the first 32.
bool has_capability(std::uint32_t mask) {
    return (permitted_capabilities() & mask) != 0;
}

using Missing = std::vector<std::string>;

Result<void> lower_limit(__rlimit_resource resource, rlim_t value, const char* name) {
    rlimit now{};
    if (::getrlimit(resource, &now) != 0)
        return system_error(std::string("getrlimit ") + name);
    // Raising a hard limit takes CAP_SYS_RESOURCE.
    const rlim_t limit = std::min(value, now.rlim_max);
    const rlimit wanted{limit, limit};
    if (::setrlimit(resource, &wanted) != 0)
        return system_error(std::string("setrlimit ") + name);
    return {};
}

Result<void> set_limits(const SandboxProfile& profile) {
    if (auto set = lower_limit(RLIMIT_CORE, 0, "CORE"); !set)
        return set;
    if (auto set = lower_limit(RLIMIT_NOFILE, profile.descriptors, "NOFILE"); !set)
        return set;
    if (auto set = lower_limit(RLIMIT_FSIZE, profile.file_size, "FSIZE"); !set)
        return set;
    if (kSanitized)
        return {};
    return lower_limit(RLIMIT_AS, profile.address_space, "AS");
}

// Must run before the ids change: it needs CAP_SETPCAP.
Result<void> drop_bounding_set(Missing& missing) {
    for (int capability = 0; capability <= kMaxCapability; ++capability) {
        if (::prctl(PR_CAPBSET_DROP, capability) == 0 || errno == EINVAL)
            continue;
        if (errno != EPERM)
            return system_error("drop");
        // no_new_privs makes the remaining set harmless.
        missing.emplace_back("bounding set");
        break;
    }
    return {};
}

// Abstract unix sockets belong to a network namespace, those with a path do not (network_namespaces(7)): an empty
// namespace leaves a process of AF_UNIX only the latter, where Landlock cannot do so. It takes CAP_SYS_ADMIN; without
// it the process goes on, since enter_landlock() reports what is missing.
void leave_abstract_sockets(const SandboxProfile& profile) {
    if (profile.unix_socket && !profile.inet && landlock_abi(profile) < kLandlockScopes)
        (void)::unshare(CLONE_NEWNET);
}

// Returns whether the ids cannot be changed here. EPERM: no CAP_SETUID or CAP_SETGID, or denied by a user
// namespace. EINVAL: an id that the user namespace does not map.
bool not_to_be_had() {
    return errno == EPERM || errno == EINVAL;
}

bool become(uid_t uid, gid_t gid) {
    return ::setresgid(gid, gid, gid) == 0 && ::setresuid(uid, uid, uid) == 0;
}

Result<void> change_ids(const SandboxProfile& profile, Missing& missing) {
    // Without CAP_KILL the master, which has the same capabilities, could not kill a child with another uid.
    if (::geteuid() != 0 || !has_capability(kKilling)) {
        missing.emplace_back("uid");
        return {};
    }
    // Otherwise the change of the uid clears all capabilities (capabilities(7)).
    if (profile.reads_processes && ::prctl(PR_SET_KEEPCAPS, 1) != 0)
        return system_error("PR_SET_KEEPCAPS");
    bool all = ::setgroups(0, nullptr) == 0;
    if (!all && !not_to_be_had())
        return system_error("setgroups");
    if (!become(profile.uid, profile.gid)) {
        all = false;
        if (!not_to_be_had() || (!become(kNobody, kNobody) && !not_to_be_had()))
            return system_error("setresuid");
    }
    if (!all) {
        missing.emplace_back("uid");
        return {};
    }
    // RLIMIT_NPROC counts all processes of a uid, so it is set only after the change to a uid of our own.
    return kSanitized ? Result<void>() : lower_limit(RLIMIT_NPROC, profile.tasks, "NPROC");
}

Result<void> drop_capabilities(const SandboxProfile& profile) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3]{};
    if (profile.reads_processes)
        kept[0].permitted = kept[0].effective = kTracing;
    if (::syscall(SYS_capset, &header, kept) != 0)
        return system_error("capset");
    return {};
}

Result<void> check_no_way_back(const SandboxProfile& profile) {
    // If the uid could not be changed, there is nothing to verify.
    if (profile.uid != 0 && ::geteuid() != 0 && ::setresuid(0, 0, 0) == 0)
        return Error{"uid 0 could be had again"};
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct all[_LINUX_CAPABILITY_U32S_3];
    for (auto& part : all)
        part = {~0U, ~0U, 0};
    if (::syscall(SYS_capset, &header, all) == 0)
        return Error{"capabilities could be had again"};
    return {};
}

// Called after setresuid(2), which clears the parent-death signal. The pid shows whether the parent died
// before.
Result<void> bind_to_master(pid_t master) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return system_error("prctl");
    if (::getppid() != master)
        return Error{"the master is gone"};
    return {};
}

Result<void> forbid_privileges() {
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return system_error("PR_SET_DUMPABLE");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return system_error("PR_SET_NO_NEW_PRIVS");
    return {};
}

Result<void> filter_calls(const SandboxProfile& profile, SandboxLevel level, Missing& missing) {
    if (!seccomp_available()) {
        missing.emplace_back("seccomp");
        return {};
    }
    if (auto watched = watch_violations(kReportFd, level == SandboxLevel::log); !watched)
        return watched;
    return enter_seccomp(profile);
}

}  // namespace

Result<std::vector<std::string>> enter_sandbox(const SandboxProfile& profile, SandboxLevel level,
                                               pid_t master) {
    Missing missing;
    // The order matters: the bounding set needs capabilities, which changing ids clears; setresuid(2) clears
    // the parent-death signal; Landlock and seccomp need no_new_privs; and seccomp would deny the system
    // calls of the other steps.
    // Without CAP_SYS_PTRACE, its user is what lets it see other processes, so it keeps the user.
    const bool as_started = profile.reads_processes && !has_capability(kTracing);
    if (as_started)
        missing.emplace_back("CAP_SYS_PTRACE");
    struct Step {
        const char* name;
        bool always;  // even with SandboxLevel::off
        std::function<Result<void>()> run;
    };
    const Step steps[] = {
        {"limits", true,
         [&] {
             return set_limits(profile);
         }},
        {"bounding set", true,
         [&] {
             return as_started ? Result<void>() : drop_bounding_set(missing);
         }},
        {"network namespace", true,
         [&] {
             if (level != SandboxLevel::off)
                 leave_abstract_sockets(profile);
             return Result<void>();
         }},
        {"ids", true,
         [&] {
             return as_started ? Result<void>() : change_ids(profile, missing);
         }},
        {"capabilities", true,
         [&] {
             return as_started ? Result<void>() : drop_capabilities(profile);
         }},
        {"privileges", true,
         [&] {
             return as_started ? Result<void>() : check_no_way_back(profile);
         }},
        {"parent-death signal", true,
         [&] {
             return bind_to_master(master);
         }},
        {"no_new_privs", false,
         [&] {
             return forbid_privileges();
         }},
        {"landlock", false,
         [&] {
             return profile.reads_processes ? Result<void>() : enter_landlock(profile, missing);
         }},
        {"seccomp", false,
         [&] {
             return filter_calls(profile, level, missing);
         }},
    };
    for (const Step& step : steps) {
        if (level == SandboxLevel::off && !step.always) {
            missing.emplace_back(step.name);
            continue;
        }
        if (const auto done = step.run(); !done)
            return Error{std::string(step.name) + ": " + done.error().what, done.error().code};
    }
    return missing;
}

}  // namespace healthcheckd
