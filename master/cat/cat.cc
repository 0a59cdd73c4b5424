#include "master/cat/cat.h"

#include "common/log/log.h"
#include "common/text/time.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

ThresholdLimits limits_of(const CatConfig& cat) {
    return {cat.failure_threshold, cat.success_threshold, cat.type->counts_restarts};
}

constexpr std::size_t kSeenVerdicts = 5;

Report unknown_report(std::string why) {
    Report report;
    report.verdict = Verdict::unknown;
    report.message = std::move(why);
    return report;
}

}  // namespace

Cat::~Cat() {
    answer_waiting(unknown_report("the cat is gone"));
}

Cat::Cat(const WorkerContext& context, Worker::Identity identity, EventCallback on_event,
         std::function<void()> on_first_failure)
    : identity_(identity), on_event_(std::move(on_event)), on_first_failure_(std::move(on_first_failure)),
      threshold_(limits_of(identity.cat())), worker_(context, std::move(identity),
                                                     {[this](const Report& report) { on_report(report); },
                                                      [this](bool probing, const std::string& why) {
                                                          on_lost(probing, why);
                                                      }}) {}

bool Cat::follows_supervisord() const {
    const CatConfig& cat = config();
    return !cat.type->measures_process || (!cat.whole_machine() && cat.pid_get == PidGet::supervisor);
}

void Cat::adopt(std::shared_ptr<const Config> config, std::size_t index) {
    worker_.adopt(config, index);
    identity_.config = std::move(config);
    identity_.index = index;
}

std::string_view Cat::state_text() const {
    return config().enabled ? to_string(threshold_.state()) : "disabled";
}

Birth Cat::start(TimePoint now) {
    started_ = ticked_ = now;
    eligible_ = heard_ = now + config().initial_delay;
    return worker_.start();
}

void Cat::tick(TimePoint now, const ProgramView& view) {
    if (pause_end_ && now >= *pause_end_)
        resume();
    if (pause_)
        return;
    watch_silence(now);
    if (worker_.probing()) {
        ++counters_.skipped_ticks;
        return;
    }
    if (now >= eligible_)
        probe(view, true);
}

void Cat::watch_silence(TimePoint now) {
    const Milliseconds period = config().period;
    // After a standstill of the master its ticks come before what workers have long said.
    const bool stood_still = now - std::exchange(ticked_, now) > period + kSilence / 2;
    heard_ = std::max({heard_, eligible_, stood_still ? now : heard_});
    const Milliseconds limit = period + worker_.probe_limit() + kSilence;
    if (now - heard_ <= limit)
        return;
    const Report report = unknown_report(fmt::format(
        "there was no verdict for {} s{}{}", std::chrono::duration_cast<std::chrono::seconds>(limit).count(),
        worker_.trouble().empty() ? "" : ": ", worker_.trouble()));
    accept(report, [](Threshold& threshold) { return threshold.on_silence(); });
    answer_waiting(report);
}

void Cat::check_now(TimePoint now, const ProgramView& view, CheckDone done) {
    if (!config().enabled)
        return done(unknown_report("the cat is not enabled"));
    waiting_.push_back(std::move(done));
    if (!worker_.probing())
        probe(view, !paused() && now >= eligible_);
}

void Cat::probe(const ProgramView& view, bool counts) {
    counts_ = counts;
    if (view.pending)
        return answer_waiting(unknown_report("supervisord has just been asked for the first time"));
    if (!view.unknown.empty()) {
        program_state_.clear();
        return take(unknown_report(view.unknown));
    }
    if (!worker_.ready()) {
        // A worker that is just being born is no news; one that cannot be had is.
        if (worker_.trouble().empty())
            return answer_waiting(unknown_report("its worker is just starting"));
        return take(unknown_report("there is no worker: " + worker_.trouble()));
    }
    if (!worker_.blind().empty()) {
        const std::string why = worker_.blind();
        worker_.look_again();
        return take(unknown_report(why));
    }
    ProbeCommand command;
    // The last one that was known: a program's user does not change with its restart.
    if (view.user)
        program_user_ = view.user;
    user_unknown_ = program_user_ ? "" : view.user_unknown;
    command.user = program_user_ ? std::int64_t{*program_user_} : kNoUser;
    if (view.program != nullptr) {
        const Program& program = *view.program;
        command.process = program.process;
        command.state = program.state_text();
        program_state_ = program_state_name(program.state);
        if (!knows_starts_ || program.starts < starts_seen_) {
            starts_seen_ = program.starts;
            knows_starts_ = true;
        }
        starts_sent_ = program.starts;
        command.restarts =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(program.starts - starts_seen_, 1'000'000));
    }
    probed_ = command.process;
    starting_ = view.starting && !config().type->counts_restarts;
    worker_.probe(std::move(command));
}

void Cat::pause(TimePoint now, std::optional<Milliseconds> how_long) {
    pause_.emplace();
    pause_end_.reset();
    counts_ = false;
    if (how_long) {
        pause_->until = std::chrono::system_clock::now() + *how_long;
        pause_end_ = now + *how_long;
    }
    const std::string text = how_long ? "paused until " + local_time(*pause_->until) : "paused until resumed";
    log::info(who(), "{}", text);
    note(text, std::chrono::system_clock::now());
    ++deeds_;
}

std::optional<Cat::Pause> Cat::paused() const {
    return pause_end_ && Clock::now() >= *pause_end_ ? std::nullopt : pause_;
}

bool Cat::resume() {
    if (!pause_)
        return false;
    const bool over = pause_end_ && Clock::now() >= *pause_end_;
    pause_.reset();
    pause_end_.reset();
    heard_ = Clock::now();
    // What was counted is old, and restarts that somebody made meanwhile were their business.
    knows_starts_ = false;
    const std::string_view text = over ? "resumed: its pause is over" : "resumed";
    log::info(who(), "{}", text);
    start_afresh(text);
    note(std::string(text), std::chrono::system_clock::now());
    ++deeds_;
    return true;
}

void Cat::on_program_started(const Program& program) {
    const bool first = !current_.running() && !last_probe_;
    current_ = program.process;
    if (const ProcessId counted = std::exchange(counted_, {}); counted.running() && counted != current_)
        start_afresh("the counts of an earlier life were about another process");
    if (!knows_starts_) {
        starts_seen_ = program.starts;
        knows_starts_ = true;
    }
    // A restart cat looks at the starts themselves: a program that lives for less than its grace must be
    // seen.
    if (!bound_to_process())
        return;
    eligible_ = std::max(started_, program.started) + config().initial_delay;
    worker_.track(program.process);
    if (!first)
        start_afresh(fmt::format("the program has a new process, pid {}", program.process.pid));
}

void Cat::on_program_identified(const Program& program) {
    current_ = program.process;
    if (bound_to_process())
        worker_.track(program.process);
}

void Cat::on_program_ended() {
    current_ = {};
    if (follows_supervisord())
        worker_.track({});
}

void Cat::on_lost(bool probing, const std::string& why) {
    if (probing)
        take(unknown_report("the worker was lost: " + why));
}

void Cat::answer_waiting(const Report& report) {
    for (const CheckDone& done : std::exchange(waiting_, {}))
        done(report);
}

void Cat::take(const Report& report) {
    if (counts_)
        accept(report);
    else if (!waiting_.empty())
        log::info(who(), "checked, not counted: {}: {}", to_string(report.verdict), report.message);
    answer_waiting(report);
}

void Cat::on_report(const Report& report) {
    if (report.verdict == Verdict::failure && starting_) {
        // startsecs is what its operator said that a start takes.
        Report early = report;
        early.verdict = Verdict::idle;
        early.message =
            fmt::format("supervisord calls it STARTING, so this does not count: {}", report.message);
        return weigh(early);
    }
    if (report.verdict != Verdict::idle || user_unknown_.empty())
        return weigh(report);
    // Where nobody knows as whom the program runs, that no process was found is not that there is none.
    Report doubted = report;
    doubted.verdict = Verdict::unknown;
    doubted.message = fmt::format("{}; as whom it runs is not known: {}", report.message, user_unknown_);
    weigh(doubted);
}

void Cat::weigh(const Report& report) {
    if (!counts_)
        return take(report);
    starts_seen_ = starts_sent_;
    if (bound_to_process() && probed_ != current_) {
        log::debug(who(), "a verdict about pid {} came after its end and is not counted", probed_.pid);
        return answer_waiting(report);
    }
    if (!follows_supervisord() && report.process.running()) {
        const bool other = found_.running() && report.process != found_;
        found_ = report.process;
        if (other) {
            start_afresh(fmt::format("the process found is another one now, pid {}", found_.pid));
            eligible_ = Clock::now() + config().initial_delay;
            return answer_waiting(report);
        }
    }
    take(report);
}

void Cat::start_afresh(std::string_view why) {
    const CatState before = threshold_.state();
    threshold_.on_new_process();
    if (threshold_.state() != before)
        log_change(log::Level::info, before, why);
    else
        log::debug(who(), "counts start afresh: {}", why);
}

void Cat::restore_failed(std::string_view when) {
    const CatState before = threshold_.state();
    const Event event = threshold_.restore_failed();
    if (threshold_.state() != before)
        log_change(log::Level::info, before, fmt::format("failed {}", when));
    else if (event != Event::none)  // not for what failed in this life
        log::info(who(), "failed {}; now {}", when, to_string(before));
    if (event != Event::none && last_probe_)
        on_event_(*this, event, last_probe_->report);
}

void Cat::accept(const Report& report) {
    ++counters_.probes;
    accept(report, [&](Threshold& threshold) { return threshold.on_verdict(report.verdict, report.weight); });
}

void Cat::accept(const Report& report, const std::function<Event(Threshold&)>& count) {
    heard_ = Clock::now();
    const CatState before = threshold_.state();
    const bool failed_before = threshold_.failed();
    const std::uint32_t failures_before = threshold_.failures();
    const Event event = count(threshold_);
    if (!config().whole_machine() && !config().type->counts_restarts && report.verdict == Verdict::failure &&
        before != CatState::failing)
        on_first_failure_();
    last_probe_ = LastProbe{std::chrono::system_clock::now(), report};
    if (verdicts_.size() == kSeenVerdicts)
        verdicts_.pop_front();
    verdicts_.push_back(
        {last_probe_->at, std::string(to_string(report.verdict)), report.value, report.unit, report.message});
    log_verdict(before, event, report);
    remember(report);
    deeds_ += failed_before != threshold_.failed() || event == Event::fired ? 1 : 0;
    counts_seen_ += failures_before != threshold_.failures() ? 1 : 0;
    if (event != Event::none)
        on_event_(*this, event, report);
}

void Cat::log_verdict(CatState before, Event event, const Report& report) {
    const CatState after = threshold_.state();
    const auto& limits = threshold_.limits();
    const std::string& why = report.message;
    if (report.verdict == Verdict::unknown) {
        if (event == Event::unmeasurable)
            log_counts(log::Level::error, before,
                       fmt::format("{} -> {}: could not be checked {} times in a row: {}", to_string(before),
                                   to_string(after), limits.failure, why),
                       why, threshold_.failures());
        else if (why != last_unknown_)
            log::warning(who(), "could not be checked: {}", why);
        last_unknown_ = why;
        return;
    }
    last_unknown_.clear();
    if (event == Event::fired) {
        // The count itself starts again from 0.
        log_counts(log::Level::warning, before,
                   fmt::format("{} -> {}: failure {} of {}: {}", to_string(before), to_string(after),
                               limits.failure, limits.failure, why),
                   why, limits.failure);
    } else if (before != after) {
        log_change(log::Level::info, before, why);
    } else if (report.verdict == Verdict::failure && !threshold_.failed()) {
        log_counts(log::Level::info, std::nullopt,
                   fmt::format("failure {} of {}: {}", threshold_.failures(), limits.failure, why), why,
                   threshold_.failures());
    } else {
        log::debug(who(), "{}: {}", to_string(report.verdict), why);
    }
}

void Cat::log_change(log::Level level, CatState before, std::string_view reason) const {
    const auto& limits = threshold_.limits();
    log_counts(level, before,
               fmt::format("{} -> {} (failures {}/{}, successes {}/{}): {}", to_string(before),
                           to_string(threshold_.state()), threshold_.failures(), limits.failure,
                           threshold_.successes(), limits.success, reason),
               reason, threshold_.failures());
}

void Cat::log_counts(log::Level level, std::optional<CatState> before, std::string_view text,
                     std::string_view reason, std::uint32_t failures) const {
    std::vector<LogField> fields;
    const auto add_word = [&fields](std::string_view key, std::string_view word) {
        fields.push_back({key, word});
    };
    const auto add_count = [&fields](std::string_view key, std::uint32_t count) {
        fields.push_back({key, std::uint64_t{count}});
    };
    if (before) {
        add_word("from", to_string(*before));
        add_word("to", to_string(threshold_.state()));
    }
    add_count("failures", failures);
    add_count("failureThreshold", threshold_.limits().failure);
    add_count("successes", threshold_.successes());
    add_count("successThreshold", threshold_.limits().success);
    add_word("reason", reason);
    log::write(level, who(), text, fields);
}

}  // namespace healthcheckd::master
