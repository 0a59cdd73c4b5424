// Which process a cat's verdicts are about, from when on it may be probed, and which restarts of its program
// have not been reported yet. Pure value: the caller passes the time; no I/O. Master.
#pragma once

#include "common/wire/protocol_worker.h"
#include "master/process/loop.h"
#include "master/supervisord/program_table.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace healthcheckd::master {

class Subject {
public:
    // Starts at `now`, with an initial delay of `delay`.
    void begin(TimePoint now, Milliseconds delay) {
        started_ = now;
        eligible_ = now + delay;
    }
    // The end of the initial delay, of the cat or of its program's process.
    TimePoint eligible() const { return eligible_; }
    void delay_until(TimePoint when) { eligible_ = when; }

    // Fills in what a probe is told of the program: its process, and the number of starts since the last
    // probe that counted. nullptr: the cat needs no program.
    void describe(const Program* program, ProbeCommand& command);
    // The verdict of that probe counts.
    void on_counted() { starts_seen_ = starts_sent_; }
    // Returns whether the verdict is about a process that the program no longer has.
    bool outdated() const { return probed_ != current_; }
    const ProcessId& probed() const { return probed_; }

    // The program has a new process.
    struct Started {
        bool first = false;            // there was none before, and no verdict has been counted
        bool counts_of_other = false;  // the restored counts were about another process
    };
    Started on_program_started(const Program& program, bool nothing_said);
    // Restarts the initial delay, for a cat that measures the program's process.
    void restart_delay(const Program& program, Milliseconds delay) {
        eligible_ = std::max(started_, program.started) + delay;
    }
    void on_program_identified(const Program& program) { current_ = program.process; }
    void on_program_ended() { current_ = {}; }
    const ProcessId& current() const { return current_; }

    // A cat that finds its process itself has found this one. Returns whether it is another one than before.
    bool on_found(ProcessId process) {
        const bool other = found_.running() && process != found_;
        found_ = process;
        return other;
    }
    const ProcessId& found() const { return found_; }

    // The restored counts are about this process: supervisord's process of the program, or one that was
    // found.
    void restore_counted(ProcessId process) { counted_ = process; }
    void restore_found(ProcessId process) { found_ = process; }

    // Starts of the program up to the next one that is seen are not reported.
    void forget_starts() { knows_starts_ = false; }
    // How many of the program's starts need no report any more; nullopt: none has been seen.
    std::optional<std::uint64_t> starts_reported() const {
        return knows_starts_ ? std::optional(starts_seen_) : std::nullopt;
    }
    void restore_starts(std::uint64_t reported) {
        starts_seen_ = reported;
        knows_starts_ = true;
    }

private:
    void know_starts(const Program& program) {
        starts_seen_ = program.starts;
        knows_starts_ = true;
    }

    TimePoint started_{};
    TimePoint eligible_{};
    ProcessId current_;              // supervisord's process of the program
    ProcessId probed_;               // what the probe under way was sent for
    ProcessId found_;                // pidGet name, file: what the last probe measured
    ProcessId counted_;              // the process that the restored counts belong to
    std::uint64_t starts_seen_ = 0;  // starts reported
    std::uint64_t starts_sent_ = 0;  // starts reported when the probe under way is answered
    bool knows_starts_ = false;
};

}  // namespace healthcheckd::master
