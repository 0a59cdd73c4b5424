// What the master has to know of processes and must not read by itself, asked from a child that may hang.
// Master.
//
// The questions are answered in their order. The process at which the child stops answering is left out for a
// while, which doubles each time; the child is replaced, and the questions behind it are asked again.
#pragma once

#include "common/config/config.h"
#include "common/log/log.h"
#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "common/wire/channel.h"
#include "common/wire/protocol.h"
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
        pid_t inner = 0;  // its pid in a pid namespace of its own; 0: it is in ours
    };
    using OnProcess = std::function<void(Result<Process>)>;
    using OnDescriptor = std::function<void(Result<UniqueFd>)>;
    using OnHeld = std::function<void(Result<bool>)>;

    // `life`: of the child; another one only in tests that need one which hangs.
    using Life = std::function<int(SandboxLevel level, const ChildUser& user, pid_t master)>;
    ProcessReader(Loop& loop, Spawner& spawner, LayerNotes& layers, SandboxLevel level);
    ProcessReader(Loop& loop, Spawner& spawner, LayerNotes& layers, SandboxLevel level, Life life);
    ~ProcessReader();
    ProcessReader(const ProcessReader&) = delete;
    ProcessReader& operator=(const ProcessReader&) = delete;

    // Both call back once, from the loop, with what the child found, or why it could not: ENOENT or ESRCH
    // when there is no such process, ETIMEDOUT when looking at it hangs. Nothing is called after the reader's
    // end.

    // Who has the number `pid` at the time of the answer.
    void identify(pid_t pid, OnProcess done);
    // A descriptor of /proc/PID/`file` ("stat", "statm" or "smaps_rollup") that measures exactly `process`.
    void measure(ProcessId process, std::string file, OnDescriptor done);

    // Has process `pid` a socket open that listens at TCP port `port`? EACCES or EPERM: that cannot be seen.
    void holds(pid_t pid, std::uint16_t port, OnHeld done);

    // From now on at this level: another child follows.
    void use(SandboxLevel level);

    pid_t pid() const { return child_.pid(); }

private:
    // For one answer, and for a new child to get ready. Where one program hangs, others of its kind do: after
    // kManyHang in kHangSpan each gets less, so that those behind them do not wait for long.
    static constexpr Milliseconds kAnswerLimit{700};
    static constexpr Milliseconds kShortLimit{150};
    static constexpr std::size_t kManyHang = 2;
    static constexpr Milliseconds kHangSpan{10'000};
    static constexpr Milliseconds kReadyLimit{5'000};
    static constexpr std::size_t kMostAsked = 32;  // at once, so that no answer finds the socket full
    static constexpr std::size_t kMostWaiting = 50'000;
    static constexpr std::size_t kMostCorpses = 8;  // children that not even SIGKILL has ended yet
    static constexpr std::size_t kMostLeftOut = 1'000;
    static constexpr Milliseconds kFirstRest{2'000};  // of a process at which the child hung
    static constexpr Milliseconds kLongestRest{60'000};

    struct Question {
        std::uint64_t seq = 0;
        ProcessId process;
        std::string file;        // of measure
        std::uint16_t port = 0;  // of holds
        // One of them: of identify, measure, holds.
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
    std::string on_late();
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
    Life life_;
    std::unique_ptr<FdWatch> answers_;
    std::uint64_t seq_ = 0;
    std::deque<Question> waiting_;
    std::deque<Question> asked_;  // in the order of their answers
    std::map<pid_t, Rest> left_out_;
    std::deque<TimePoint> hung_at_;  // the last kManyHang times
    Timer pump_timer_;
    ChildKeeper child_;
};

}  // namespace healthcheckd::master
