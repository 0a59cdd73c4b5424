#include "master/program_table.h"

#include "common/log.h"
#include "common/proc_stat.h"

#include <ctime>
#include <poll.h>
#include <set>
#include <sys/syscall.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostFormer = 10'000;

// glibc 2.36 has a wrapper, but only in headers that clash with <fcntl.h>.
UniqueFd open_pidfd(pid_t pid) {
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// A pidfd becomes readable when its process ends.
bool has_ended(const UniqueFd& pidfd) {
    pollfd ready{pidfd.get(), POLLIN, 0};
    return ::poll(&ready, 1, 0) != 0;
}

// The age of a process by its start time in clock ticks since boot (proc(5)); boot time goes on during
// suspend.
Clock::duration age_of(std::uint64_t start_ticks) {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const double seconds = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9 -
                           static_cast<double>(start_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::max(0.0, seconds)));
}

}  // namespace

std::string Program::state_text() const {
    std::string text(program_state_name(state));
    if (state == kExited)
        text += " with status " + std::to_string(exit_status);
    else if ((state == kFatal || state == kBackoff) && !spawn_error.empty())
        text += ": " + spawn_error;
    return text;
}

void ProgramTable::update(const std::vector<ProgramLine>& lines) {
    std::set<std::string> seen;
    for (const ProgramLine& line : lines) {
        seen.insert(line.name);
        const auto [place, fresh] = entries_.try_emplace(line.name);
        Program& program = place->second.program;
        program.name = line.name;
        if (const auto former = former_starts_.find(line.name); former != former_starts_.end()) {
            program.starts = former->second + (line.start != 0 ? 1 : 0);
            program.has_run = true;
            former_starts_.erase(former);
        }
        refresh(place->second, line, fresh);
    }
    for (auto it = entries_.begin(); it != entries_.end();) {
        if (seen.contains(it->first)) {
            ++it;
            continue;
        }
        Program gone = std::move(it->second.program);
        it = entries_.erase(it);
        if (gone.has_run && former_starts_.size() < kMostFormer)
            former_starts_[gone.name] = gone.starts;
        gone.process = {};
        gone.state = kUnknownState;
        callbacks_.on_ended(gone);
    }
}

void ProgramTable::refresh(Entry& entry, const ProgramLine& line, bool first_seen) {
    Program& program = entry.program;
    // A start that was too short to be seen with its process still moved supervisord's start time.
    const bool new_start = line.start != program.start || (line.pid != 0 && line.pid != entry.told_pid);
    // The pidfd is silent, so it is the same process, whatever supervisord's clock did to its start time.
    const bool same = program.runs() && line.pid == program.process.pid && entry.watch != nullptr;
    if (!first_seen && new_start && !same && program.has_run && line.start != 0)
        ++program.starts;
    if (line.pid != 0)
        entry.told_pid = line.pid;
    program.has_run = program.has_run || line.start != 0;
    const bool other_state = !first_seen && program.state != line.state;
    if (first_seen || other_state || (new_start && !same))
        program.changed = Clock::now();
    program.state = line.state;
    program.start = line.start;
    program.exit_status = line.exit_status;
    program.spawn_error = line.spawn_error;
    if (other_state)
        callbacks_.on_state(program);
    const bool again = !program.hidden.empty();
    if (same || (line.pid == program.process.pid && !new_start && !again))
        return;

    const bool ran = program.runs();
    entry.watch.reset();
    entry.pidfd.reset();
    const auto process = line.pid == 0 ? Result<ProcessId>(ProcessId{}) : identify(entry, line);
    program.hidden = process ? std::string() : process.error().text();
    // As far as anybody can tell it is the one that was known.
    if (!process && line.pid == program.process.pid)
        return;
    if (process && ran && *process == program.process)
        return;
    program.process = process ? *process : ProcessId{};
    if (program.runs()) {
        program.last = program.process;
        callbacks_.on_started(program);
    } else if (ran) {
        callbacks_.on_ended(program);
    }
}

Result<ProcessId> ProgramTable::identify(Entry& entry, const ProgramLine& line) {
    Program& program = entry.program;
    if (!local_) {
        program.started =
            Clock::now() - std::chrono::seconds(std::max<std::int64_t>(0, line.now - line.start));
        return ProcessId{line.pid, static_cast<std::uint64_t>(line.start)};
    }
    // The pidfd first, then the start time: what is read is about the process that the pidfd holds.
    UniqueFd pidfd = open_pidfd(line.pid);
    const auto stat = read_proc_stat(line.pid);
    // A pidfd is to be had of every process; /proc may be mounted so that we see only our own.
    if (!stat && pidfd && !has_ended(pidfd))
        return Error{"/proc hides it from this user (hidepid)"};
    // Out of descriptors, say: that tells nothing about the process.
    if (!stat && stat.error().code != ENOENT && stat.error().code != ESRCH)
        return stat.error();
    // Either it has ended since supervisord answered, or supervisord has not noticed the end that the pidfd
    // told of; the next answer tells more.
    if (!stat || (ProcessId{line.pid, stat->start_ticks} == program.last && !program.runs()))
        return ProcessId{};
    program.started = Clock::now() - age_of(stat->start_ticks);
    watch_supervisor(stat->ppid);
    if (pidfd) {
        entry.pidfd = std::move(pidfd);
        entry.watch = std::make_unique<FdWatch>(loop_, entry.pidfd.get(), FdWatch::For::reading,
                                                [this, name = program.name] { on_pidfd(name); });
    }
    return ProcessId{line.pid, stat->start_ticks};
}

void ProgramTable::watch_supervisor(pid_t pid) {
    // 1: supervisord is a container's first process, or its program has lost it already.
    if (pid <= 1 || (pid == supervisor_ && supervisor_watch_ != nullptr))
        return;
    supervisor_watch_.reset();
    supervisor_pidfd_ = open_pidfd(pid);
    supervisor_ = pid;
    if (supervisor_pidfd_)
        supervisor_watch_ =
            std::make_unique<FdWatch>(loop_, supervisor_pidfd_.get(), FdWatch::For::reading, [this] {
                supervisor_watch_.reset();
                supervisor_pidfd_.reset();
                if (callbacks_.on_supervisor_ended)
                    callbacks_.on_supervisor_ended();
            });
}

void ProgramTable::on_pidfd(const std::string& name) {
    const auto found = entries_.find(name);
    if (found == entries_.end())
        return;
    Entry& entry = found->second;
    entry.watch.reset();
    entry.pidfd.reset();
    entry.program.process = {};
    entry.program.changed = Clock::now();
    callbacks_.on_ended(entry.program);
}

const Program* ProgramTable::find(const std::string& name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second.program;
}

bool ProgramTable::announces_end(const std::string& name) const {
    const auto found = entries_.find(name);
    return found != entries_.end() && found->second.watch != nullptr;
}

std::vector<std::string> ProgramTable::members_of(const std::string& group) const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_)
        if (name == group || name.starts_with(group + ':'))
            names.push_back(name);
    return names;
}

std::vector<std::string> ProgramTable::members_named(const std::string& bare) const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_)
        if (const auto colon = name.find(':'); colon != std::string::npos && name.substr(colon + 1) == bare)
            names.push_back(name);
    return names;
}

}  // namespace healthcheckd::master
