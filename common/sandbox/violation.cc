#include "common/sandbox/violation.h"

#include "common/sandbox/sandbox.h"

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <seccomp.h>
#include <string_view>
#include <ucontext.h>
#include <unistd.h>

namespace healthcheckd {

namespace {

constexpr int kNames = 512;      // system call numbers are below 470 in Linux 6.18
constexpr int kFromSeccomp = 1;  // SYS_SECCOMP in si_code (sigaction(2)), which glibc's headers lack

// All names in one string, since the handler may not allocate memory.
class NameTable {
public:
    NameTable() {
        for (int number = 0; number < kNames; ++number) {
            begin_[static_cast<std::size_t>(number)] = static_cast<std::uint16_t>(text_.size());
            const std::unique_ptr<char, decltype(&std::free)> name(
                seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &std::free);
            if (name)
                text_ += name.get();
        }
        begin_.back() = static_cast<std::uint16_t>(text_.size());
    }

    std::string_view operator[](int number) const {
        if (number < 0 || number >= kNames)
            return {};
        const auto i = static_cast<std::size_t>(number);
        return std::string_view(text_).substr(begin_[i], begin_[i + 1] - std::size_t{begin_[i]});
    }

private:
    std::string text_;
    std::array<std::uint16_t, kNames + 1> begin_{};
};

// Built once; children forked afterwards share its pages.
const NameTable& names() {
    static const NameTable table;
    return table;
}

// The data of the signal handler, which can reach only globals. Written before the filter is loaded;
// later only `said` changes.
struct HandlerState {
    int report_fd = -1;
    bool keep_going = false;
    const NameTable* names = nullptr;
    std::array<std::atomic_flag, kNames> said{};
};
HandlerState handler_state;

// The functions below may only make async-signal-safe calls (signal-safety(7)).
void write_violation(int number) {
    std::array<char, 128> line;
    char* end = line.data();
    const auto append = [&](std::string_view text) {
        std::memcpy(end, text.data(), text.size());
        end += text.size();
    };
    append("broken msg=");
    append(kViolation);
    append("system call ");
    const std::string_view name = (*handler_state.names)[number];
    append(name.empty() ? "unknown" : name.substr(0, 40));
    append(" (");
    end = std::to_chars(end, end + 12, number).ptr;
    append(")\n");
    // A failed write is ignored: the parent still sees the signal.
    if (::write(handler_state.report_fd, line.data(), static_cast<std::size_t>(end - line.data())) < 0)
        return;
}

void answer_enosys(ucontext_t& context) {
#if defined(__x86_64__)
    context.uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
    context.uc_mcontext.regs[0] = static_cast<unsigned long long>(-ENOSYS);
#else
    (void)context;  // the call's return value is then undefined, see SECCOMP_RET_TRAP in seccomp(2)
#endif
}

void on_sigsys(int, siginfo_t* info, void* context) {
    const int saved_errno = errno;
    const bool violation = info->si_code == kFromSeccomp;
    if (violation && handler_state.keep_going) {
        const int number = info->si_syscall;
        if (number < 0 || number >= kNames ||
            !handler_state.said[static_cast<std::size_t>(number)].test_and_set())
            write_violation(number);
        answer_enosys(*static_cast<ucontext_t*>(context));
        errno = saved_errno;
        return;
    }
    if (violation)
        write_violation(info->si_syscall);
    // The filter kills a process that changes the disposition of SIGSYS, so the parent sees an end by
    // SIGSYS, as without a handler.
    ::signal(SIGSYS, SIG_DFL);
    ::_exit(128 + SIGSYS);
}

}  // namespace

std::string system_call_name(int number) {
    const std::string_view name = names()[number];
    return name.empty() ? "syscall " + std::to_string(number) : std::string(name);
}

Result<void> watch_violations(int report_fd, bool keep_going) {
    handler_state.report_fd = report_fd;
    handler_state.keep_going = keep_going;
    handler_state.names = &names();
    struct sigaction action {};
    action.sa_sigaction = on_sigsys;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (::sigaction(SIGSYS, &action, nullptr) != 0)
        return system_error("sigaction SIGSYS");
    return {};
}

}  // namespace healthcheckd
