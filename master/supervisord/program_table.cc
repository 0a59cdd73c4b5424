#include "master/supervisord/program_table.h"

#include "common/log/log.h"
#include "common/system/pidfd.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <set>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <utility>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostFormer = 10'000;

// The tolerance between supervisord's start time of a process and the kernel's: supervisord reports whole
// seconds, and takes the time before it forks.
constexpr double kStartSlack = 5;
constexpr std::size_t kMostClockSteps = 16;

// This clock continues during suspend, as start times of processes do (proc(5)).
double seconds_since_boot() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Returns the age in seconds, `at` seconds after boot.
double age_of(std::uint64_t start_ticks, double at) {
    return at - static_cast<double>(start_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Clock::duration to_duration(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::max(0.0, seconds)));
}

double slack_of(const SupervisorTable& table) {
    return kStartSlack + std::chrono::duration<double>(table.took).count();
}

}  // namespace

std::string Program::state_text() const {
    std::string text(program_state_name(state));
    if (state == kExited)
        text += " with status " + std::to_string(exit_status);
    else if ((state == kFatal || state == kBackoff) && !spawn_error.empty())
        text += ": " + spawn_error;
    else if (state == kRunning && !runs())
        text += "; its process has ended";
    return text;
}

void ProgramTable::update(SupervisorTable table) {
    if (waiting_.size() >= kMostWaiting)
        return;
    waiting_.push_back({std::move(table), seconds_since_boot()});
    if (waiting_.size() == 1)
        look();
}

// Looks up all new processes of the oldest answer at once.
void ProgramTable::look() {
    looks_.clear();
    const Entry none;
    for (const ProgramLine& line : waiting_.front().table.programs) {
        const auto known = entries_.find(line.name);
        if (local_ && line.pid > 0 && news_of(known == entries_.end() ? none : known->second, line).look)
            looks_[line.pid].pidfd = open_pidfd(line.pid);
    }
    looking_ = looks_.size() + 1;
    look_limit_.start(kLookLimit);
    const std::uint64_t count = ++look_count_;
    for (const auto& [pid, look] : looks_)
        identify_(pid, [this, pid = pid, count, alive = std::weak_ptr(alive_)](Result<SeenProcess> process) {
            if (alive.expired() || count != look_count_)
                return;
            looks_.at(pid).process = std::move(process);
            on_look();
        });
    on_look();
}

void ProgramTable::on_look() {
    if (--looking_ == 0)
        finish_look();
}

void ProgramTable::finish_look() {
    look_limit_.stop();
    ++look_count_;
    const Answer answer = std::move(waiting_.front());
    find_clock_steps(answer);
    take_in(answer);
    waiting_.pop_front();
    if (callbacks_.on_updated)
        callbacks_.on_updated();
    if (!waiting_.empty())
        look();
}

double ProgramTable::gap_of(const Answer& answer, const ProgramLine& line, const SeenProcess& seen) {
    return static_cast<double>(told_age(line).count()) - age_of(seen.start_ticks, answer.came_at);
}

// Setting the clock after programs were started shifts the ages of all of them by the same amount.
void ProgramTable::find_clock_steps(const Answer& answer) {
    const double slack = slack_of(answer.table);
    std::vector<double> gaps;
    for (const ProgramLine& line : answer.table.programs) {
        const auto found = looks_.find(line.pid);
        if (line.pid != 0 && found != looks_.end() && found->second.process && found->second.process->proven)
            gaps.push_back(gap_of(answer, line, *found->second.process));
    }
    std::ranges::sort(gaps);
    for (std::size_t i = 1; i < gaps.size(); ++i)
        if (std::abs(gaps[i]) > slack && gaps[i] - gaps[i - 1] <= kStartSlack / 2 &&
            !is_clock_step(gaps[i], slack) && clock_steps_.size() < kMostClockSteps)
            clock_steps_.push_back(gaps[i]);
}

std::string ProgramTable::stranger(const Answer& answer, const ProgramLine& line,
                                   const SeenProcess& seen) const {
    if (!seen.stranger.empty())
        return seen.stranger;
    const double gap = gap_of(answer, line, seen);
    const double slack = slack_of(answer.table);
    if (std::abs(gap) <= slack || (seen.proven && is_clock_step(gap, slack)))
        return {};
    return fmt::format("it is {:.0f} s old, and supervisord started its program {} s ago (or the clock was "
                       "set since then: restart the program)",
                       age_of(seen.start_ticks, answer.came_at), told_age(line).count());
}

void ProgramTable::take_in(const Answer& answer) {
    std::set<std::string> seen;
    for (const ProgramLine& line : answer.table.programs) {
        seen.insert(line.name);
        const auto [place, fresh] = entries_.try_emplace(line.name);
        Program& program = place->second.program;
        program.name = line.name;
        if (const auto former = former_starts_.find(line.name); former != former_starts_.end()) {
            program.starts = former->second + (line.start != 0 ? 1 : 0);
            program.has_run = true;
            former_starts_.erase(former);
        }
        refresh(answer, place->second, line, fresh);
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
    // A start so short that its process was never seen still changed supervisord's start time.
    news.start = line.start != program.start || (line.pid != 0 && line.pid != entry.told_pid);
    news.same = program.runs() && line.pid == program.process.pid && entry.watch != nullptr;
    const bool again = !program.hidden.empty();
    news.look = again || (!news.same && (line.pid != program.process.pid || news.start));
    return news;
}

void ProgramTable::refresh(const Answer& answer, Entry& entry, const ProgramLine& line, bool first_seen) {
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
    const ProcessId process = line.pid == 0 ? ProcessId{} : identified(answer, entry, line, hidden);
    program.hidden = std::move(hidden);
    // As far as can be told, it is the known process.
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

ProcessId ProgramTable::identified(const Answer& answer, Entry& entry, const ProgramLine& line,
                                   std::string& hidden) {
    Program& program = entry.program;
    const auto told_start = Clock::now() - told_age(line);
    if (!local_) {
        program.started = told_start;
        return {line.pid, static_cast<std::uint64_t>(line.start)};
    }
    const auto found = looks_.find(line.pid);
    if (found == looks_.end())
        return {};  // it ended during the lookup
    UniqueFd pidfd = std::move(found->second.pidfd);
    const auto& seen = found->second.process;
    const bool lives = pidfd && !has_ended(pidfd);
    const bool none = !seen && (seen.error().code == ENOENT || seen.error().code == ESRCH);
    // Every process has a pidfd, but /proc may be mounted so that only our own processes are visible.
    if (none && lives)
        hidden = "its process could not be looked at: /proc hides it from this user (hidepid)";
    // A lack of descriptors, or a lookup that hangs, says nothing about the process.
    else if (!seen && !none)
        hidden = "its process could not be looked at: " + seen.error().text();
    // A living process is held by its pidfd. What also needs its start time waits for a later lookup.
    if (!hidden.empty() && lives) {
        program.started = told_start;
        watch_process(entry, std::move(pidfd));
        return {line.pid, 0};
    }
    if (none && is_nowhere(entry, line))
        return strange(entry, line,
                       "there is no such process here, and supervisord says again that it runs: it is in "
                       "another pid namespace (a container), or on another machine (a forwarded port)",
                       hidden);
    // Either it has ended since supervisord answered, or supervisord has not noticed the end that the pidfd
    // reported; the next answer will show.
    if (!seen || (pidfd && !lives) ||
        (ProcessId{line.pid, seen->start_ticks} == program.last && !program.runs()))
        return {};
    if (const std::string why = stranger(answer, line, *seen); !why.empty())
        return strange(entry, line, why, hidden);
    here_ = true;
    program.started = Clock::now() - to_duration(age_of(seen->start_ticks, seconds_since_boot()));
    watch_supervisor(seen->ppid);
    watch_process(entry, std::move(pidfd));
    return {line.pid, seen->start_ticks};
}

// A child of supervisord stays visible as a zombie until supervisord reaps it. So a pid reported twice
// without a process belongs to a process elsewhere.
bool ProgramTable::is_nowhere(Entry& entry, const ProgramLine& line) const {
    const ProcessId absent{line.pid, static_cast<std::uint64_t>(line.start)};
    return std::exchange(entry.absent, absent) == absent;
}

// The process that `line` reports is not visible here: it can only be compared with others.
ProcessId ProgramTable::strange(Entry& entry, const ProgramLine& line, const std::string& why,
                                std::string& hidden) {
    here_ = false;
    hidden = fmt::format("pid {} here is not its process: {}", line.pid, why);
    entry.program.started = Clock::now() - told_age(line);
    entry.watch.reset();
    entry.pidfd.reset();
    return {line.pid, 0};
}

bool ProgramTable::is_clock_step(double gap, double slack) const {
    return std::ranges::any_of(clock_steps_, [&](double step) { return std::abs(gap - step) <= slack; });
}

void ProgramTable::watch_process(Entry& entry, UniqueFd pidfd) {
    entry.watch.reset();
    entry.pidfd = std::move(pidfd);
    if (entry.pidfd)
        entry.watch = std::make_unique<FdWatch>(loop_, entry.pidfd.get(), FdWatch::For::reading,
                                                [this, name = entry.program.name] { on_pidfd(name); });
}

void ProgramTable::watch_supervisor(pid_t pid) {
    // 1: supervisord is the first process of a container, or the program is an orphan already.
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
    // The owner of the folder is the effective user; stat(2) takes no lock. If the process has not ended by
    // then, no other process has had its pid.
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
