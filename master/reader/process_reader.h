// Looks up processes for the master, which must not read /proc itself, in a child that may hang. Master.
//
// Requests are answered in order. When the child hangs at a process, that process is left out for a while,
// doubled each time; the child is replaced, and the requests after it are sent again.
#pragma once

#include "common/config/config.h"
#include "common/log/log.h"
#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "common/wire/channel.h"
#include "common/wire/verdict.h"
#include "master/process/keeper.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace healthcheckd::master {

class ProcessReader {
public:
    struct Process {
        std::uint64_t start_ticks = 0;  // since boot (proc(5))
        pid_t ppid = 0;
        pid_t inner = 0;  // its pid inside a nested pid namespace; 0: it is in ours
    };
    using OnProcess = std::function<void(Result<Process>)>;
    using OnDescriptor = std::function<void(Result<UniqueFd>)>;
    using OnHeld = std::function<void(Result<bool>)>;

    // The main function of the child; tests replace it by one that hangs.
    using Main = std::function<int(SandboxLevel level, const ChildUser& user, pid_t master)>;
    ProcessReader(Loop& loop, Spawner& spawner, LayerNotes& layers, SandboxLevel level);
    ProcessReader(Loop& loop, Spawner& spawner, LayerNotes& layers, SandboxLevel level, Main main);
    ~ProcessReader();
    ProcessReader(const ProcessReader&) = delete;
    ProcessReader& operator=(const ProcessReader&) = delete;

    // Each calls back once, from the loop, with the result or an error: ENOENT or ESRCH when there is no such
    // process, ETIMEDOUT when examining it hangs. There are no callbacks after the destructor.

    // Looks up the process that has the pid at the time of the answer.
    void identify(pid_t pid, OnProcess done);
    // Opens /proc/PID/`file` ("stat", "statm" or "smaps_rollup"), which then measures exactly `process`.
    void measure(ProcessId process, std::string file, OnDescriptor done);

    // Asks whether process `pid` has a socket that listens at TCP port `port`. Fails with EACCES or EPERM
    // when that is not visible.
    void holds(pid_t pid, std::uint16_t port, OnHeld done);

    // Changes the level; another child replaces the present one.
    void use(SandboxLevel level);

    pid_t pid() const { return child_.pid(); }

private:
    // Timeouts for one answer, and for a new child to get ready. Where one program hangs, others of
    // its kind do: after kManyHang in kHangSpan the timeout is shorter, so that requests behind them
    // are not delayed for long.
    static constexpr Milliseconds kAnswerLimit{700};
    static constexpr Milliseconds kShortLimit{150};
    static constexpr std::size_t kManyHang = 2;
    static constexpr Milliseconds kHangSpan{10'000};
    static constexpr Milliseconds kReadyLimit{5'000};
    static constexpr std::size_t kMostAsked = 32;  // sent at once, so that no answer finds the socket full
    static constexpr std::size_t kMostWaiting = 50'000;
    static constexpr std::size_t kMostCorpses = 8;  // children that SIGKILL has not ended yet
    static constexpr std::size_t kMostLeftOut = 1'000;
    // How long a process at which the child hung is left out.
    static constexpr Milliseconds kFirstRest{2'000};
    static constexpr Milliseconds kLongestRest{60'000};

    struct Question {
        std::uint64_t seq = 0;
        ProcessId process;
        std::string file;        // for measure
        std::uint16_t port = 0;  // for holds
        // One of these is set: for identify, measure or holds.
        OnProcess on_process;
        OnDescriptor on_descriptor;
        OnHeld on_held;
    };
    struct Rest {
        TimePoint until{};
        Milliseconds length{0};
    };

    void add(Question question);
    void pump();
    void start();
    ChildSpec spec();
    Result<void> send(const Question& question);
    void on_unsent(const Question& question, const Error& error);
    void on_answer();
    bool on_line(std::string_view text);
    void on_late();
    void on_loss(const ChildKeeper::Loss& loss);
    void take(Packet packet);
    void hangs(const Question& question);
    void lose_child(std::string_view why, log::Level level = log::Level::warning);
    Milliseconds answer_limit() const;
    bool rests(pid_t pid);
    void fail_all(const Error& error);
    static void fail(const Question& question, Error error);

    Loop& loop_;
    Spawner& spawner_;
    SandboxLevel level_;
    Main main_;
    std::unique_ptr<FdWatch> answers_;
    std::uint64_t seq_ = 0;
    std::deque<Question> waiting_;
    std::deque<Question> asked_;  // sent, in the order of their answers
    std::map<pid_t, Rest> left_out_;
    std::deque<TimePoint> hung_at_;  // the last kManyHang times
    Milliseconds crowded_{0};        // the last rest because too many hang in the kernel; 0: they do not
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    Timer pump_timer_;
    ChildKeeper child_;
};

}  // namespace healthcheckd::master
