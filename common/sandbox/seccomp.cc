#include "common/sandbox/seccomp.h"

#include "common/system/unique_fd.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <memory>
#include <sched.h>
#include <seccomp.h>
#include <span>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace healthcheckd {

namespace {

constexpr auto kAllow = SCMP_ACT_ALLOW;

// Placeholder for the pid of the process that loads the filter, which may be compiled before that process
// exists. Greater than every pid (PID_MAX_LIMIT in proc_sys_kernel(5) is 2^22).
constexpr std::uint32_t kOwnPid = 0x5e1f1d00;

// ---- calls allowed with any arguments
// libseccomp leaves out those that this architecture does not have: arm64 has no open, poll, epoll_wait, select, time,
// access, stat, readlink, mkdir, rename, rmdir and unlink, and its C library calls ppoll, epoll_pwait, openat and the like.

constexpr int kEveryone[] = {
    // memory; mapping executable pages is restricted below
    SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(mremap), SCMP_SYS(munmap),
    // descriptors that are open already
    SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(read),
    SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
    // the control channel
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(recvmsg),
    // time
    SCMP_SYS(clock_getres), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday),
    SCMP_SYS(nanosleep), SCMP_SYS(time),
    // process identity and resources: malloc and qsort size themselves by processors and memory
    SCMP_SYS(getcpu), SCMP_SYS(getegid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getpid),
    SCMP_SYS(getppid), SCMP_SYS(getrusage), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sysinfo), SCMP_SYS(uname),
    // threads and signals of this process; the C library's locks, random seeds and abort()
    SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list),
    SCMP_SYS(sigaltstack),
    // the end
    SCMP_SYS(exit), SCMP_SYS(exit_group)};

// Client sockets, as libcurl and the resolver use them. No bind, listen or accept.
constexpr int kNetwork[] = {
    SCMP_SYS(connect),    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),   SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_wait), SCMP_SYS(eventfd2),      SCMP_SYS(getpeername), SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt), SCMP_SYS(pipe2),         SCMP_SYS(pselect6),    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmmsg),   SCMP_SYS(select),        SCMP_SYS(setsockopt),  SCMP_SYS(shutdown)};

// Reading the file system, where Landlock and file permissions allow it. open is below.
constexpr int kFiles[] = {SCMP_SYS(access),     SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fstatfs),
                          SCMP_SYS(getdents64), SCMP_SYS(lstat),     SCMP_SYS(newfstatat), SCMP_SYS(readlink),
                          SCMP_SYS(readlinkat), SCMP_SYS(stat),      SCMP_SYS(statfs),     SCMP_SYS(statx)};

// Finding the owner of a file.
constexpr int kLookUp[] = {SCMP_SYS(newfstatat), SCMP_SYS(readlinkat)};

// Opening pidfds, and sending descriptors of files in /proc.
constexpr int kProcesses[] = {SCMP_SYS(pidfd_open), SCMP_SYS(sendmsg), SCMP_SYS(readlinkat),
                              SCMP_SYS(setfsgid), SCMP_SYS(setfsuid)};

// Writing the spool. No links: root writes there too.
// No modes and times: Landlock has no rule for them, and the mailer may be root (mailer_profile()).
constexpr int kWritableFiles[] = {SCMP_SYS(fdatasync), SCMP_SYS(flock),    SCMP_SYS(fsync),
                                  SCMP_SYS(mkdir),     SCMP_SYS(mkdirat),  SCMP_SYS(pwrite64),
                                  SCMP_SYS(rename),    SCMP_SYS(renameat), SCMP_SYS(renameat2),
                                  SCMP_SYS(unlink),    SCMP_SYS(unlinkat)};

// ---- calls allowed with some arguments

struct Rule {
    int call;
    std::vector<scmp_arg_cmp> when;  // all conditions must hold
};

scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
    return scmp_arg_cmp{argument, SCMP_CMP_EQ, value, 0};
}

// Matches an argument whose bits in `mask` are exactly `value`.
scmp_arg_cmp bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
    return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
}

std::vector<Rule> rules_for_everyone() {
    std::vector<Rule> rules = {
        {SCMP_SYS(mmap), {bits(2, PROT_EXEC, 0)}},
        {SCMP_SYS(mprotect), {bits(2, PROT_EXEC, 0)}},
        {SCMP_SYS(tgkill), {equals(0, kOwnPid)}},             // abort()
        {SCMP_SYS(prlimit64), {equals(0, 0), equals(2, 0)}},  // reading limits only
        // All signals except SIGSYS; glibc sets handlers for its own 32 and 33 when the first thread starts.
        {SCMP_SYS(rt_sigaction), {scmp_arg_cmp{0, SCMP_CMP_LT, SIGSYS, 0}}},
        {SCMP_SYS(rt_sigaction), {equals(0, 32)}},
        {SCMP_SYS(rt_sigaction), {equals(0, 33)}},
    };
    // Without F_SETOWN, which would make the kernel send signals on behalf of this process.
    for (const int command : {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC})
        rules.push_back({SCMP_SYS(fcntl), {equals(1, static_cast<std::uint64_t>(command))}});
    return rules;
}

std::vector<Rule> rules_for_sockets(const SandboxProfile& profile) {
    // MSG_FASTOPEN connects past Landlock's port rules.
    std::vector<Rule> rules = {{SCMP_SYS(sendto), {bits(3, MSG_FASTOPEN, 0)}},
                               {SCMP_SYS(sendmsg), {bits(2, MSG_FASTOPEN, 0)}},
                               {SCMP_SYS(sendmmsg), {bits(3, MSG_FASTOPEN, 0)}},
                               // curl wakes itself up through a socket pair; a pair of stream sockets cannot
                               // be connected to another address.
                               {SCMP_SYS(socketpair), {equals(0, AF_UNIX), bits(1, 0xf, SOCK_STREAM)}}};
    // SIOCGIFINDEX: if_nametoindex(3) of a zone in an IPv6 address.
    for (const std::uint64_t request :
         {std::uint64_t{FIONBIO}, std::uint64_t{FIONREAD}, std::uint64_t{0x8933}})
        rules.push_back({SCMP_SYS(ioctl), {equals(1, request)}});
    // Exactly TCP and UDP: Landlock's port rules do not apply to SCTP and MPTCP streams.
    const auto socket = [&](int family, int type, int protocol) {
        rules.push_back(
            {SCMP_SYS(socket),
             {equals(0, static_cast<std::uint64_t>(family)), bits(1, 0xf, static_cast<std::uint64_t>(type)),
              equals(2, static_cast<std::uint64_t>(protocol))}});
    };
    if (profile.inet)
        for (const int family : {AF_INET, AF_INET6})
            for (const int any_or_own : {0, 1}) {
                socket(family, SOCK_STREAM, any_or_own * 6);  // IPPROTO_TCP
                if (profile.datagrams)
                    socket(family, SOCK_DGRAM, any_or_own * 17);  // IPPROTO_UDP
            }
    if (profile.unix_socket)
        socket(AF_UNIX, SOCK_STREAM, 0);
    return rules;
}

// Opening for reading only: no writing, creation or truncation. O_TMPFILE includes the bit of O_DIRECTORY, so
// only its other bit is tested.
std::vector<Rule> rules_for_reading() {
    const std::uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
    return {{SCMP_SYS(openat), {bits(2, writing, O_RDONLY)}}, {SCMP_SYS(open), {bits(1, writing, O_RDONLY)}}};
}

// Opening for reading and writing. The spool is written to new files: nothing needs to empty one, and Landlock before
// ABI 3 would allow that to whoever may read.
std::vector<Rule> rules_for_writing() {
    return {{SCMP_SYS(openat), {bits(2, O_TRUNC, 0)}}, {SCMP_SYS(open), {bits(1, O_TRUNC, 0)}}};
}

// A thread of this process; no new namespaces. The flags are the first argument on x86-64 and on arm64, which
// disagree about the last two (clone(2)).
std::vector<Rule> rules_for_threads() {
    const std::uint64_t mask = CLONE_THREAD | CLONE_VM | CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID |
                               CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_VFORK;
    return {{SCMP_SYS(clone), {bits(0, mask, CLONE_THREAD | CLONE_VM)}}};
}

// ---- calls that libraries make but can do without

struct SoftRefusal {
    int error;
    Rule rule;
};

std::vector<SoftRefusal> soft_refusals(const SandboxProfile& profile) {
    std::vector<SoftRefusal> soft = {
        // malloc and threads set names for memory and threads in newer C libraries.
        {EPERM, {SCMP_SYS(prctl), {}}},
        // stdio tests whether a descriptor is a terminal.
        {ENOTTY, {SCMP_SYS(ioctl), {equals(1, TCGETS)}}},
        // clone3 passes its flags in memory, which a filter cannot read; glibc falls back to clone.
        {ENOSYS, {SCMP_SYS(clone3), {}}},
        // Loading a name-service module at run time fails, and lookups continue without it.
        {EACCES, {SCMP_SYS(mmap), {bits(2, PROT_EXEC, PROT_EXEC)}}},
    };
    // pthread_create(3) blocks all signals around clone, so a SIGSYS there could not be reported; the library
    // that wants a thread gets EAGAIN instead.
    if (!profile.threads)
        soft.push_back({EAGAIN, {SCMP_SYS(clone), {bits(0, CLONE_THREAD, CLONE_THREAD)}}});
    // Up to glibc 2.38, fstat(3) calls newfstatat(2) with a descriptor and an empty path. A filter cannot
    // read the path, and an absolute path ignores the descriptor: allowing the call would give away the
    // size and times of every file.
    if (!profile.open_files && !profile.unix_socket)
        soft.push_back({EACCES, {SCMP_SYS(newfstatat), {}}});
    if (!profile.inet)
        return soft;
    // libcurl tests at its start whether this machine supports IPv6, and needs the result only for host
    // names.
    if (!profile.datagrams)
        for (const int family : {AF_INET, AF_INET6})
            soft.push_back({EACCES,
                            {SCMP_SYS(socket),
                             {equals(0, static_cast<std::uint64_t>(family)), bits(1, 0xf, SOCK_DGRAM)}}});
    // The resolver first asks nscd, systemd-resolved or avahi, and asks the kernel which address families
    // this machine has; without an answer it queries the name servers, for both families.
    soft.push_back({EACCES, {SCMP_SYS(socket), {equals(0, AF_NETLINK)}}});
    if (!profile.unix_socket)
        soft.push_back({EACCES, {SCMP_SYS(socket), {equals(0, AF_UNIX)}}});
    return soft;
}

class Filter {
public:
    explicit Filter(std::uint32_t otherwise) : context_(::seccomp_init(otherwise), &::seccomp_release) {
        if (!context_)
            failed_ = ENOMEM;
        attribute(SCMP_FLTATR_API_SYSRAWRC, 1);  // return the kernel's errno values
        attribute(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    }

    void add(std::uint32_t action, int call, std::span<const scmp_arg_cmp> when = {}) {
        if (failed_ == 0)
            failed_ = -::seccomp_rule_add_array(context_.get(), action, call,
                                                static_cast<unsigned>(when.size()), when.data());
    }
    void allow(std::span<const int> calls) {
        for (const int call : calls)
            add(kAllow, call);
    }
    void allow(const std::vector<Rule>& rules) {
        for (const Rule& rule : rules)
            add(kAllow, rule.call, rule.when);
    }

    Result<SeccompProgram> compile() {
        const UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
        if (!file)
            return system_error("memfd_create");
        if (failed_ == 0)
            failed_ = -::seccomp_export_bpf(context_.get(), file.get());
        if (failed_ != 0)
            return Error{"make the filter", failed_};
        struct stat status {};
        if (::fstat(file.get(), &status) != 0)
            return system_error("fstat");
        SeccompProgram program;
        const auto bytes = static_cast<std::size_t>(status.st_size);
        program.code.resize(bytes / sizeof(sock_filter));
        if (::pread(file.get(), program.code.data(), bytes, 0) != status.st_size)
            return system_error("pread");
        return program;
    }

private:
    void attribute(scmp_filter_attr name, std::uint32_t value) {
        if (failed_ == 0)
            failed_ = -::seccomp_attr_set(context_.get(), name, value);
    }

    std::unique_ptr<void, decltype(&::seccomp_release)> context_;
    int failed_ = 0;
};

}  // namespace

bool seccomp_available() {
    return !kSanitized && ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

Result<SeccompProgram> compile_seccomp(const SandboxProfile& profile) {
    Filter filter(SCMP_ACT_TRAP);
    filter.allow(kEveryone);
    filter.allow(rules_for_everyone());
    const std::array set_sigsys = {equals(0, SIGSYS)};
    filter.add(SCMP_ACT_KILL_PROCESS, SCMP_SYS(rt_sigaction), set_sigsys);
    for (const SoftRefusal& refusal : soft_refusals(profile))
        filter.add(SCMP_ACT_ERRNO(static_cast<std::uint32_t>(refusal.error)), refusal.rule.call,
                   refusal.rule.when);
    if (profile.inet || profile.unix_socket) {
        filter.allow(kNetwork);
        filter.allow(rules_for_sockets(profile));
    }
    if (profile.threads)
        filter.allow(rules_for_threads());
    if (profile.reads_processes) {
        filter.allow(kProcesses);
        filter.allow(rules_for_reading());
    }
    if (profile.unix_socket) {
        filter.allow(kLookUp);
        const std::array no_access = {bits(2, O_PATH, O_PATH)};
        filter.add(kAllow, SCMP_SYS(openat), no_access);
    }
    if (profile.open_files) {
        filter.allow(kFiles);
        if (profile.writable.empty()) {
            filter.allow(rules_for_reading());
        } else {
            filter.allow(kWritableFiles);
            filter.allow(rules_for_writing());
        }
    }
    // Builds the table of system call names now, so that all children of this process share its pages.
    (void)system_call_name(0);
    return filter.compile();
}

Result<void> enter_seccomp(const SandboxProfile& profile) {
    SeccompProgram program;
    if (profile.filter != nullptr) {
        program = *profile.filter;
    } else {
        auto compiled = compile_seccomp(profile);
        if (!compiled)
            return compiled.error();
        program = std::move(*compiled);
    }
    for (sock_filter& instruction : program.code)
        if (instruction.code == (BPF_JMP | BPF_JEQ | BPF_K) && instruction.k == kOwnPid)
            instruction.k = static_cast<std::uint32_t>(::getpid());
    const sock_fprog loaded{static_cast<unsigned short>(program.code.size()), program.code.data()};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &loaded) != 0)
        return system_error("load the filter");
    return {};
}

}  // namespace healthcheckd
