// Confinement of a forked child: entering it, and naming a system call that violates it. Every child.
#pragma once

#include "common/sandbox/level.h"
#include "common/system/result.h"

#include <climits>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace healthcheckd {

struct SeccompProgram;

// The uid of `nobody`, and the kernel's overflow uid.
inline constexpr uid_t kNobody = 65534;

// The user and group that a child changes to when healthcheckd was started as root.
struct ChildUser {
    uid_t uid = kNobody;
    gid_t gid = kNobody;
    bool single = false;       // no other process on this machine has this uid
    std::string_view missing;  // the layer that this machine lacks to make it single; empty: none
};

// Descriptor limit for children that send descriptors. Each descriptor in flight counts against the *user* of
// the sender, for all of its processes on the machine, and sendmsg(2) fails with ETOOMANYREFS above the
// sender's own limit (unix(7)).
inline constexpr rlim_t kSenderDescriptors = 1u << 20;

// What a kind of child may still do. Plain data; worker/entry.cc and master/ fill it for each kind.
struct SandboxProfile {
    std::string name;     // for the log: "mem", "http", "link"
    uid_t uid = kNobody;  // the user to change to when started as root
    gid_t gid = kNobody;
    bool inet = false;         // TCP client sockets of AF_INET and AF_INET6
    bool datagrams = false;    // with inet: UDP too, to any address and port (for name resolution)
    bool unix_socket = false;  // client sockets of AF_UNIX, and open(2) with O_PATH (the connector)
    bool threads = false;      // clone(CLONE_THREAD): curl resolves names in a thread
    // open(2) and stat(2); the paths below restrict open(2), file permissions alone restrict stat(2)
    bool open_files = false;
    // For the process reader: keeps CAP_SYS_PTRACE alone, to open files in /proc of other users' processes;
    // may open files for reading and send packets. Has no Landlock, which would deny exactly these files.
    // Started without the capability, it keeps its user and sees what this user may see.
    bool reads_processes = false;
    std::vector<std::string> readable;     // files and trees that Landlock allows to read
    std::vector<std::string> writable;     // trees that Landlock allows to write (the spool)
    std::vector<std::uint16_t> tcp_ports;  // TCP ports that it may connect to; empty with inet: any
    rlim_t file_size = RLIM_INFINITY;   // maximum size in bytes of a file that it writes; pipes do not count
    rlim_t address_space = 512u << 20;  // bytes
    rlim_t descriptors = 32;
    rlim_t tasks = RLIM_INFINITY;  // maximum number of processes and threads of `uid`
    int landlock_abi = INT_MAX;    // uses nothing of a later Landlock ABI; lowered by tests alone
    // compile_seccomp() of this profile, compiled in advance by the parent; nullptr: the child compiles it.
    const SeccompProgram* filter = nullptr;
};

// Confines the calling process irrevocably, in the order that DESIGN.md gives: resource limits, ids and
// groups, capabilities and bounding set, PDEATHSIG, no_new_privs, Landlock, seccomp. `master` must still be
// the parent.
//
// Returns the names of the layers that this kernel or this user lacks ("landlock", "uid"); all others are in
// force. A process of root that may not change to the profile's uid becomes nobody or, if it may not change
// uids at all, stays as it is; both return "uid". Fails with the name of the step when an available layer
// could not be entered: the caller must then exit and never run unconfined.
//
// With SandboxLevel::off, sets only resource limits, ids and PDEATHSIG. With SandboxLevel::log, a denied
// system call writes a `broken` line to kReportFd and returns ENOSYS instead of ending the process.
Result<std::vector<std::string>> enter_sandbox(const SandboxProfile& profile, SandboxLevel level,
                                               pid_t master);

// Returns the name of a system call of this architecture ("openat"), or "syscall 999" for an unknown number.
std::string system_call_name(int number);

}  // namespace healthcheckd
