// Examines the process that a check measured again, before an action touches it. Action.
#pragma once

#include "master/notice/incident.h"

#include <chrono>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

// The present state of a request's process.
struct ProcessLook {
    enum class Is : std::uint8_t {
        same,    // it runs, and is the process of the cat's program
        ended,   // gone, or a zombie
        other,   // the pid belongs to another process, or the program has another one
        unsure,  // it may not be supervisord's, could not be examined in time, or was never measured
    };
    Is is = Is::unsure;
    std::string why;  // "pid 12 has ended"; for `same`: why it must still not be killed, or empty
};

// Examines the process; blocks as long as reading its /proc files does, possibly for ever. If a worker found
// the process itself, the search is repeated: a lying worker must not choose the process that a privileged
// one acts upon. If supervisord named the pid, through the link, either may lie or be misled: the parent must
// be the supervisord that listens at the socket or port of the request. The result is `unsure` when this
// supervisord cannot be reached or identified. `master`: the root of healthcheckd's own processes.
ProcessLook look_now(const ActionRequest& request, pid_t master);

// As look_now(), in a child and with a timeout; the result is `unsure` then.
ProcessLook look_again(const ActionRequest& request, pid_t master, std::chrono::milliseconds limit);

}  // namespace healthcheckd::master
