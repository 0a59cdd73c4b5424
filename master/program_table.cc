#include "master/program_table.h"

#include "common/log.h"
#include "common/pidfd.h"

#include <ctime>
#include <set>
#include <sys/stat.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostFormer = 10'000;

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

void ProgramTable::update(std::vector<ProgramLine> lines) {
    if (waiting_.size() >= kMostWaiting)
        return;
    waiting_.push_back(std::move(lines));
    if (waiting_.size() == 1)
        look();
}

// Looks at the processes of the oldest answer that are new, all at once.
void ProgramTable::look() {
    looks_.clear();
    const Entry none;
    for (const ProgramLine& line : waiting_.front()) {
        const auto known = entries_.find(line.name);
        if (local_ && line.pid > 0 && news_of(known == entries_.end() ? none : known->second, line).look)
            looks_[line.pid].pidfd = open_pidfd(line.pid);
    }
    looking_ = looks_.size() + 1;
    for (const auto& [pid, look] : looks_)
        identify_(pid,
                  [this, pid = pid, alive = std::weak_ptr(alive_)](Result<ProcessReader::Process> process) {
                      if (alive.expired())
                          return;
                      looks_.at(pid).process = std::move(process);
                      on_look();
                  });
    on_look();
}

void ProgramTable::on_look() {
    if (--looking_ > 0)
        return;
    const std::vector<ProgramLine> lines = std::move(waiting_.front());
    take_in(lines);
    waiting_.pop_front();
    if (callbacks_.on_updated)
        callbacks_.on_updated();
    if (!waiting_.empty())
        look();
}

void ProgramTable::take_in(const std::vector<ProgramLine>& lines) {
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

ProgramTable::News ProgramTable::news_of(const Entry& entry, const ProgramLine& line) {
    const Program& program = entry.program;
    News news;
    // A start that was too short to be seen with its process still moved supervisord's start time.
    news.start = line.start != program.start || (line.pid != 0 && line.pid != entry.told_pid);
    news.same = program.runs() && line.pid == program.process.pid && entry.watch != nullptr;
    const bool again = !program.hidden.empty();
    news.look = again || (!news.same && (line.pid != program.process.pid || news.start));
    return news;
}

void ProgramTable::refresh(Entry& entry, const ProgramLine& line, bool first_seen) {
    Program& program = entry.program;
    const News news = news_of(entry, line);
    if (!first_seen && news.start && !news.same && program.has_run && line.start != 0)
        ++program.starts;
    if (line.pid != 0)
        entry.told_pid = line.pid;
    program.has_run = program.has_run || line.start != 0;
    const bool other_state = !first_seen && program.state != line.state;
    if (first_seen || other_state || (news.start && !news.same))
        program.changed = Clock::now();
    program.state = line.state;
    program.start = line.start;
    program.exit_status = line.exit_status;
    program.spawn_error = line.spawn_error;
    if (other_state)
        callbacks_.on_state(program);
    if (!news.look)
        return;

    const ProcessId before = program.process;
    std::string hidden;
    const ProcessId process = line.pid == 0 ? ProcessId{} : identified(entry, line, hidden);
    program.hidden = std::move(hidden);
    // As far as anybody can tell it is the one that was known.
    if (!program.hidden.empty() && before.running() && line.pid == before.pid)
        return;
    program.process = process;
    if (process == before)
        return;
    if (process.running())
        program.last = process;
    if (before.running() && process.pid == before.pid && before.start_ticks == 0 && news.same) {
        if (callbacks_.on_identified)
            callbacks_.on_identified(program);
    } else if (process.running()) {
        callbacks_.on_started(program);
    } else if (before.running()) {
        entry.watch.reset();
        entry.pidfd.reset();
        callbacks_.on_ended(program);
    }
}

ProcessId ProgramTable::identified(Entry& entry, const ProgramLine& line, std::string& hidden) {
    Program& program = entry.program;
    const auto told_start = Clock::now() - told_age(line);
    if (!local_) {
        program.started = told_start;
        return {line.pid, static_cast<std::uint64_t>(line.start)};
    }
    const auto found = looks_.find(line.pid);
    if (found == looks_.end())
        return {};  // it ended while others were looked at
    UniqueFd pidfd = std::move(found->second.pidfd);
    const auto& seen = found->second.process;
    const bool lives = pidfd && !has_ended(pidfd);
    const bool none = !seen && (seen.error().code == ENOENT || seen.error().code == ESRCH);
    // A pidfd is to be had of every process; /proc may be mounted so that we see only our own.
    if (none && lives)
        hidden = "/proc hides it from this user (hidepid)";
    // Out of descriptors, say, or a look that hangs: that tells nothing about the process.
    else if (!seen && !none)
        hidden = seen.error().text();
    // What lives is held by its pidfd. Whatever needs its start time as well waits for a later look.
    if (!hidden.empty() && lives) {
        program.started = told_start;
        watch_process(entry, std::move(pidfd));
        return {line.pid, 0};
    }
    // Either it has ended since supervisord answered, or supervisord has not noticed the end that the pidfd
    // told of; the next answer tells more.
    if (!seen || (pidfd && !lives) ||
        (ProcessId{line.pid, seen->start_ticks} == program.last && !program.runs()))
        return {};
    program.started = Clock::now() - age_of(seen->start_ticks);
    watch_supervisor(seen->ppid);
    watch_process(entry, std::move(pidfd));
    return {line.pid, seen->start_ticks};
}

void ProgramTable::watch_process(Entry& entry, UniqueFd pidfd) {
    entry.watch.reset();
    entry.pidfd = std::move(pidfd);
    if (entry.pidfd)
        entry.watch = std::make_unique<FdWatch>(loop_, entry.pidfd.get(), FdWatch::For::reading,
                                                [this, name = entry.program.name] { on_pidfd(name); });
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

std::optional<uid_t> ProgramTable::user_of(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end() || !local_ || !found->second.program.runs() || !found->second.pidfd)
        return std::nullopt;
    // The folder itself belongs to the effective user; to ask that takes no lock. When the process has not
    // ended by then, nobody else has had its number.
    struct stat status {};
    const std::string folder = "/proc/" + std::to_string(found->second.program.process.pid);
    if (::stat(folder.c_str(), &status) != 0 || has_ended(found->second.pidfd))
        return std::nullopt;
    return status.st_uid;
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
