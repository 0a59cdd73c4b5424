// Every action has a row here, and a file of its own in this folder.
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
