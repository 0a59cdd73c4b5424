// What an action does on the disk of stateDir: in a child of its own, which is left behind when the disk
// hangs. Action.
//
// A process that waits for such a disk in state D cannot be ended, not even by SIGKILL, before the disk
// answers. So the action itself never touches it, and those who do are counted: as long as kMostLeft of all
// actions still wait, nobody is sent after them.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <chrono>
#include <functional>

namespace healthcheckd::master {

class DiskWork {
public:
    static constexpr int kMostLeft = 8;

    // What the children of all actions are counted by, to be handed to each of them: a file in memory in
    // which each locks one byte. The kernel lets go of a lock when its process is really gone.
    static Result<UniqueFd> make_places();

    // `places`: of make_places(), or -1: nobody counts.
    explicit DiskWork(int places) : places_(places) {}

    // Runs `work` in a child, which has kReportFd and no other descriptor of the caller's, and gives what it
    // returned. Fails when that has not come within `limit`, or nobody could be sent to do it; who is left
    // behind has been killed, which ends it when the disk answers.
    Result<Result<void>> run(std::chrono::milliseconds limit,
                             const std::function<Result<void>()>& work) const;

    // Whether a child that an action gave up on still waits for the disk, and may yet do its work. False when
    // such children are not counted.
    bool somebody_waits() const;

private:
    int places_;
};

}  // namespace healthcheckd::master
