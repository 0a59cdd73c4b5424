// Disk operations of an action in stateDir, each in a child of its own that is abandoned when the disk hangs.
// Action.
//
// A process that waits for such a disk in state D does not end, not even by SIGKILL, before the disk answers.
// So the action itself never accesses the disk, and the children that do are counted: while kMostLeft
// children of all actions are waiting, no further one is started.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <chrono>
#include <functional>

namespace healthcheckd::master {

class DiskWork {
public:
    static constexpr int kMostLeft = 8;

    // Creates the counter shared by the children of all actions: a file in memory in which each child locks
    // one byte. The kernel releases a lock when its process has really ended.
    static Result<UniqueFd> make_places();

    // `places`: from make_places(), or -1: children are not counted.
    explicit DiskWork(int places) : places_(places) {}

    // Runs `work` in a child, which has kReportFd and no other descriptor of the caller, and returns its
    // result. Fails when there is none within the timeout `limit`, or when no child can be started. An
    // abandoned child has been sent SIGKILL, which ends it when the disk answers.
    Result<Result<void>> run(std::chrono::milliseconds limit,
                             const std::function<Result<void>()>& work) const;

    // Returns whether an abandoned child still waits for the disk, and may yet do its work. Returns false
    // when children are not counted.
    bool somebody_waits() const;

private:
    int places_;
};

}  // namespace healthcheckd::master
