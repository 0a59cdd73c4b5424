// Every type of check has a row here, and a file of its own in this folder.
#include "common/config/check_type.h"

namespace healthcheckd {

extern const CheckType kHttpCheck, kTcpCheck, kMemCheck, kCpuCheck, kRestartCheck;

namespace {

constexpr const CheckType* kCheckTypes[] = {
    &kHttpCheck, &kTcpCheck, &kMemCheck, &kCpuCheck, &kRestartCheck,
    // A new type goes above this line.
};

}  // namespace

std::span<const CheckType* const> check_types() {
    return kCheckTypes;
}

}  // namespace healthcheckd
