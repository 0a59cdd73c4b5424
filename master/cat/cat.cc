#include "master/cat/cat.h"

#include "common/log/log.h"
#include "common/text/time.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

ThresholdLimits limits_of(const CatConfig& cat) {
    return {cat.failure_threshold, cat.success_threshold, cat.type->counts_restarts};
}

Report unknown_report(std::string why) {
    Report report;
    report.verdict = Verdict::unknown;
    report.message = std::move(why);
    return report;
}

}  // namespace

Cat::~Cat() {
    answer_waiting(
        unknown_report("its configuration changed, or healthcheckd stops: the probe was given up"));
}

Cat::Cat(const Context& context, Prober::Identity identity, EventCallback on_event,
         std::function<void()> on_first_failure)
    : identity_(identity), on_event_(std::move(on_event)), on_first_failure_(std::move(on_first_failure)),
      now_(context.now), threshold_(limits_of(identity.cat())),
      worker_(context.make_prober(std::move(identity), {[this](const Report& report) { on_report(report); },
                                                        [this](bool probing, const std::string& why) {
                                                            on_lost(probing, why);
                                                        }})) {}

bool Cat::follows_supervisord() const {
    const CatConfig& cat = config();
    return !cat.type->measures_process || (!cat.whole_machine() && cat.pid_get == PidGet::supervisor);
}

void Cat::adopt(std::shared_ptr<const Config> config, std::size_t index) {
    worker_->adopt(config, index);
    identity_.config = std::move(config);
    identity_.index = index;
}

std::string_view Cat::state_text() const {
    return config().enabled ? to_string(threshold_.state()) : "disabled";
}

SpawnRequest Cat::start(TimePoint now) {
    ticked_ = now;
    subject_.begin(now, config().initial_delay);
    heard_ = subject_.eligible();
    return worker_->start();
}

void Cat::tick(TimePoint now, const ProgramView& view) {
    if (pause_.over(now))
        resume();
    if (pause_.begun())
        return;
    watch_silence(now);
    if (worker_->probing())
        ++record_.counters.skipped_ticks;
    else if (now >= subject_.eligible())
        probe(view, true);
}

std::optional<TimePoint> Cat::next_try(TimePoint now) {
    if (begun_)
        return std::nullopt;
    if (now < subject_.eligible())
        return subject_.eligible();
    if (try_wait_ >= config().period)
        return std::nullopt;
    return now + std::exchange(try_wait_, try_wait_ * 2);
}

void Cat::try_first_probe(TimePoint now, const ProgramView& view) {
    if (begun_ || pause_.begun() || worker_->probing() || now < subject_.eligible())
        return;
    if (view.pending || !view.unknown.empty() || !view.user_unknown.empty() || !worker_->ready())
        return;
    if (worker_->blind().empty())
        probe(view, true);
    else
        worker_->look_again();
}

void Cat::watch_silence(TimePoint now) {
    const Milliseconds period = config().period;
    // After a stall of the master its ticks come before reports that workers sent long ago.
    const bool stood_still = now - std::exchange(ticked_, now) > period + kSilence / 2;
    heard_ = std::max({heard_, subject_.eligible(), stood_still ? now : heard_});
    const Milliseconds limit = period + worker_->probe_limit() + kSilence;
    if (now - heard_ <= limit)
        return;
    const Report report = unknown_report(fmt::format(
        "there was no verdict for {} s{}{}", std::chrono::duration_cast<std::chrono::seconds>(limit).count(),
        worker_->trouble().empty() ? "" : ": ", worker_->trouble()));
    accept(report, [](Threshold& threshold) { return threshold.on_silence(); });
    answer_waiting(report);
}

void Cat::check_now(TimePoint now, const ProgramView& view, CheckDone done) {
    if (!config().enabled)
        return done(unknown_report("the cat is not enabled"));
    waiting_.push_back(std::move(done));
    if (!worker_->probing())
        probe(view, !paused() && now >= subject_.eligible());
}

void Cat::probe(const ProgramView& view, bool counts) {
    count_this_probe_ = counts;
    if (view.pending)
        return answer_waiting(unknown_report("supervisord has just been asked for the first time"));
    if (!view.unknown.empty()) {
        program_state_.clear();
        return take(unknown_report(view.unknown));
    }
    if (!worker_->ready()) {
        // A worker that is being started is normal; one that cannot be started is not.
        if (worker_->trouble().empty())
            return answer_waiting(unknown_report("its worker is just starting"));
        return take(unknown_report("there is no worker: " + worker_->trouble()));
    }
    if (!worker_->blind().empty()) {
        const std::string why = worker_->blind();
        worker_->look_again();
        return take(unknown_report(why));
    }
    ProbeCommand command;
    // The last known user: a restart does not change a program's user.
    if (view.user)
        program_user_ = view.user;
    user_unknown_ = program_user_ ? "" : view.user_unknown;
    command.user = program_user_ ? std::int64_t{*program_user_} : kNoUser;
    if (view.program != nullptr)
        program_state_ = program_state_name(view.program->state);
    subject_.describe(view.program, command);
    starting_ = view.starting && !config().type->counts_restarts;
    begun_ = begun_ || (counts && user_unknown_.empty());
    worker_->probe(std::move(command));
}

void Cat::pause(TimePoint now, std::optional<Milliseconds> how_long) {
    const auto wall = std::chrono::system_clock::now();
    pause_.begin(now, wall, how_long);
    count_this_probe_ = false;
    const std::string text =
        how_long ? "paused until " + local_time(wall + *how_long) : "paused until resumed";
    log::info(who(), "{}", text);
    note(text);
    ++record_.revision.deeds;
}

std::optional<Cat::Pause> Cat::paused() const {
    return pause_.at(now_());
}

bool Cat::resume() {
    if (!pause_.begun())
        return false;
    const std::string text = pause_.over(now_()) ? "resumed: its pause is over" : "resumed";
    pause_.end();
    heard_ = now_();
    // The counts are outdated, and restarts that somebody made during the pause are intended.
    subject_.forget_starts();
    log::info(who(), "{}", text);
    start_afresh(text);
    note(text);
    ++record_.revision.deeds;
    return true;
}

void Cat::on_program_started(const Program& program) {
    const Subject::Started started = subject_.on_program_started(program, !last_probe());
    if (started.counts_of_other)
        start_afresh("the counts of an earlier run were about another process");
    // A restart cat judges the starts themselves: it must also see a program that runs for less than its
    // initial delay.
    if (!bound_to_process())
        return;
    subject_.restart_delay(program, config().initial_delay);
    worker_->track(program.process);
    if (!started.first)
        start_afresh(fmt::format("the program has a new process, pid {}", program.process.pid));
}

void Cat::on_program_identified(const Program& program) {
    subject_.on_program_identified(program);
    if (bound_to_process())
        worker_->track(program.process);
}

void Cat::on_program_ended() {
    subject_.on_program_ended();
    if (follows_supervisord())
        worker_->track({});
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
    if (count_this_probe_)
        accept(report);
    else if (!waiting_.empty())
        log::info(who(), "checked, not counted: {}: {}", to_string(report.verdict), report.message);
    answer_waiting(report);
}

void Cat::on_report(const Report& report) {
    if (report.verdict == Verdict::failure && starting_) {
        // startsecs is the time that the operator allows for a start.
        Report early = report;
        early.verdict = Verdict::idle;
        early.message =
            fmt::format("supervisord calls it STARTING, so this does not count: {}", report.message);
        return weigh(early);
    }
    if (report.verdict != Verdict::idle || user_unknown_.empty())
        return weigh(report);
    // Without the program's user the search may have missed its process, so "none found" proves nothing.
    Report doubted = report;
    doubted.verdict = Verdict::unknown;
    doubted.message = fmt::format("{}; as whom it runs is not known: {}", report.message, user_unknown_);
    weigh(doubted);
}

void Cat::weigh(const Report& report) {
    if (!count_this_probe_)
        return take(report);
    subject_.on_counted();
    if (bound_to_process() && subject_.outdated()) {
        log::debug(who(), "a verdict about pid {} came after its end and is not counted",
                   subject_.probed().pid);
        return answer_waiting(report);
    }
    if (!follows_supervisord() && report.process.running()) {
        if (subject_.on_found(report.process)) {
            start_afresh(fmt::format("the process found is another one now, pid {}", report.process.pid));
            subject_.delay_until(now_() + config().initial_delay);
            return answer_waiting(report);
        }
    }
    take(report);
}

void Cat::start_afresh(std::string_view why) {
    const CatState before = threshold_.state();
    threshold_.on_new_process();
    if (threshold_.state() != before)
        log_change(who(), threshold_, before, why);
    else
        log::debug(who(), "counts start afresh: {}", why);
}

void Cat::restore_failed(std::string_view when) {
    if (recovered_)
        return;  // already told
    const CatState before = threshold_.state();
    const Event event = threshold_.restore_failed();
    if (threshold_.state() != before)
        log_change(who(), threshold_, before, fmt::format("failed {}", when));
    else if (event != Event::none)  // not for a failure of this run
        log::info(who(), "failed {}; now {}", when, to_string(before));
    if (event != Event::none && last_probe()) {
        recovered_ = true;
        on_event_(*this, event, last_probe()->report);
    }
}

void Cat::accept(const Report& report) {
    ++record_.counters.probes;
    accept(report, [&](Threshold& threshold) { return threshold.on_verdict(report.verdict, report.weight); });
}

void Cat::accept(const Report& report, const std::function<Event(Threshold&)>& count) {
    heard_ = now_();
    const CatState before = threshold_.state();
    const bool failed_before = threshold_.failed();
    const std::uint32_t failures_before = threshold_.failures();
    const Event event = count(threshold_);
    recovered_ = recovered_ || event == Event::resolved;
    if (!config().whole_machine() && !config().type->counts_restarts && report.verdict == Verdict::failure &&
        before != CatState::failing)
        on_first_failure_();
    record_.see(report, std::chrono::system_clock::now());
    verdict_log_.verdict(who(), threshold_, before, event, report);
    record_.note_verdict(threshold_.state());
    record_.revision.deeds += failed_before != threshold_.failed() || event == Event::fired ? 1 : 0;
    record_.revision.counts += failures_before != threshold_.failures() ? 1 : 0;
    if (event != Event::none)
        on_event_(*this, event, report);
}

}  // namespace healthcheckd::master
