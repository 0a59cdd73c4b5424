// Confinement of a forked child, in two functions: enter it, and name what broke it. Every child.
#pragma once

#include "common/sandbox/level.h"
#include "common/system/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace healthcheckd {

struct SeccompProgram;

// The user of those whose numbers a machine does not know.
inline constexpr uid_t kNobody = 65534;

// Who a child becomes when it was started as root.
struct ChildUser {
    uid_t uid = kNobody;
    gid_t gid = kNobody;
    bool single = false;       // no other process of this machine has that uid
    std::string_view missing;  // the layer that this machine lacks to make it so; empty: none
};

// Descriptors of a child that sends some to others. Each one on its way counts against the *user* of the
// sender, wherever on the machine, and sendmsg(2) fails with ETOOMANYREFS above the sender's own limit
// (unix(7)).
inline constexpr rlim_t kSenderDescriptors = 1u << 20;

// What a kind of process may still do. Plain data: worker/entry.cc and master/ hold one for each kind.
struct SandboxProfile {
    std::string name;     // "mem", "http", "link": for the log
    uid_t uid = kNobody;  // identity when started as root
    gid_t gid = kNobody;
    bool inet = false;         // client sockets of AF_INET and AF_INET6, TCP
    bool datagrams = false;    // with inet: UDP too, to any address and port (resolving names)
    bool unix_socket = false;  // client sockets of AF_UNIX, and open(2) with O_PATH (the connector)
    bool threads = false;      // clone(CLONE_THREAD): curl resolves names in a thread
    bool open_files = false;   // open(2) and stat(2) at all; where, say the paths below for the
                               // first, and file permissions alone for the second
    // Keeps CAP_SYS_PTRACE alone, for opening what /proc shows of other users' processes, and has no
    // Landlock, which would forbid just that; opens for reading, and sends packets (the process reader).
    // Without that capability it stays who it is, and sees what that user may see.
    bool reads_processes = false;
    std::vector<std::string> readable;     // files and trees that Landlock leaves readable
    std::vector<std::string> writable;     // trees that Landlock leaves writable (the spool)
    std::vector<std::uint16_t> tcp_ports;  // TCP ports to connect to; empty with inet: any
    rlim_t file_size = RLIM_INFINITY;      // bytes up to which a file is written; pipes do not count
    rlim_t address_space = 512u << 20;     // bytes
    rlim_t descriptors = 32;
    rlim_t tasks = RLIM_INFINITY;  // processes and threads of `uid`, all together
    // compile_seccomp() of this profile, made ahead by the parent; null: the child makes it.
    const SeccompProgram* filter = nullptr;
};

// Confines the calling process for good, in the order of DESIGN.md: limits, ids and groups, capabilities and
// bounding set, PDEATHSIG, no_new_privs, Landlock, seccomp. `master` is who must still be the parent.
//
// Returns the names of layers that this kernel or this user does not have ("landlock", "uid"); the rest
// holds. Root that may not change its uid, or not to that one, becomes nobody, or stays what it is, and says
// "uid". Fails with the step's name when a layer that is there could not be entered: the caller then ends, it
// never runs unconfined. With SandboxLevel::off only limits, ids and PDEATHSIG are set; with `log` a refused
// system call is written as a `broken` line to kReportFd and answered with ENOSYS instead of ending the
// process.
Result<std::vector<std::string>> enter_sandbox(const SandboxProfile& profile, SandboxLevel level,
                                               pid_t master);

// The system call's name by its number on this machine ("openat"), or "syscall 999".
std::string system_call_name(int number);

}  // namespace healthcheckd
