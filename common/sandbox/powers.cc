#include "common/sandbox/powers.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace healthcheckd {

std::uint32_t permitted_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3]{};
    return ::syscall(SYS_capget, &header, now) == 0 ? now[0].permitted : 0;
}

bool may_change_users(std::uint32_t permitted, bool root) {
    constexpr std::uint32_t kNeeded = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL;
    return root && (permitted & kNeeded) == kNeeded;
}

bool may_change_users() {
    return may_change_users(permitted_capabilities(), ::geteuid() == 0);
}

bool may_give_files(std::uint32_t permitted, bool root) {
    constexpr std::uint32_t kNeeded = 1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE;
    return may_change_users(permitted, root) && (permitted & kNeeded) == kNeeded;
}

bool may_give_files() {
    return may_give_files(permitted_capabilities(), ::geteuid() == 0);
}

}  // namespace healthcheckd
