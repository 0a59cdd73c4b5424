// Each action has a file in this folder and a row here.
#include "common/config/action_type.h"

namespace healthcheckd {

extern const ActionType kRestartAction, kKillAction, kExecAction;

namespace {

constexpr const ActionType* kActionTypes[] = {
    &kRestartAction, &kKillAction, &kExecAction,
    // A new action goes above this line.
};

}  // namespace

std::span<const ActionType* const> action_types() {
    return kActionTypes;
}

}  // namespace healthcheckd
