// The process that a check measured, looked at again by an action that is about to do something with it.
// Action.
#pragma once

#include "master/notice/incident.h"

#include <chrono>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

// What the process of a request is now.
struct ProcessLook {
    enum class Is : std::uint8_t {
        same,    // it runs, and is what the cat's program means
        ended,   // gone, or a zombie
        other,   // the number means another process, or the program means another one
        unsure,  // it is not known to be supervisord's, could not be looked at in time, or was never measured
    };
    Is is = Is::unsure;
    std::string why;  // "pid 12 has ended"; of the same: why it must not be killed all the same, or empty
};

// Looks now, and waits for as long as the process keeps readers of its /proc files waiting, which may be for
// ever. Where a worker finds the process itself, the search is made again: a worker that lies must not choose
// the process that a privileged one acts upon. Where supervisord named the pid, by way of the link, either may
// lie or be led astray: the parent must be the supervisord that listens at the socket or port of the request.
// When that supervisord cannot be reached or seen, the result is `unsure`. `master`: the root of
// healthcheckd's own processes.
ProcessLook look_now(const ActionRequest& request, pid_t master);

// The same in a child, for at most `limit`; then it is `unsure`.
ProcessLook look_again(const ActionRequest& request, pid_t master, std::chrono::milliseconds limit);

}  // namespace healthcheckd::master
