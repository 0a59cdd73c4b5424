// Each type of check has a file in this folder and a row here.
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
