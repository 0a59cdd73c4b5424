#include "master/cat.h"

#include "common/log.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

ThresholdLimits limits_of(const CatConfig& cat) {
    return {cat.failure_threshold, cat.success_threshold, cat.type == CheckType::restart};
}

constexpr std::size_t kSeenVerdicts = 5;

Report unknown_report(std::string why) {
    Report report;
    report.verdict = Verdict::unknown;
    report.message = std::move(why);
    return report;
}

}  // namespace

Cat::Cat(const WorkerContext& context, WorkerProcess::Identity identity, EventCallback on_event,
         std::function<void()> on_first_failure)
    : identity_(identity), on_event_(std::move(on_event)), on_first_failure_(std::move(on_first_failure)),
      threshold_(limits_of(identity.cat())), worker_(context, std::move(identity),
                                                     {[this](const Report& report) { on_report(report); },
                                                      [this](bool probing, const std::string& why) {
                                                          on_lost(probing, why);
                                                      }}) {}

bool Cat::follows_supervisord() const {
    const CatConfig& cat = config();
    return !cat.measures_process() || (!cat.whole_machine() && cat.pid_get == PidGet::supervisor);
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
    started_ = now;
    eligible_ = now + config().initial_delay;
    return worker_.start();
}

void Cat::tick(TimePoint now, const ProgramView& view) {
    if (worker_.probing()) {
        ++counters_.skipped_ticks;
        return;
    }
    if (now < eligible_)
        return;
    if (view.pending)
        return;
    if (!view.unknown.empty()) {
        program_state_.clear();
        accept(unknown_report(view.unknown));
        return;
    }
    if (!worker_.ready()) {
        // A worker that is just being born is no news; one that cannot be had is.
        if (!worker_.trouble().empty())
            accept(unknown_report("there is no worker: " + worker_.trouble()));
        return;
    }
    ProbeCommand command;
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
    worker_.probe(std::move(command));
}

void Cat::on_program_started(const Program& program) {
    const bool first = !current_.running() && !last_probe_;
    current_ = program.process;
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
        threshold_.on_new_process();
}

void Cat::on_program_ended() {
    current_ = {};
    if (follows_supervisord())
        worker_.track({});
}

void Cat::on_lost(bool probing, const std::string& why) {
    if (probing)
        accept(unknown_report("the worker was lost: " + why));
}

void Cat::on_report(const Report& report) {
    starts_seen_ = starts_sent_;
    if (bound_to_process() && probed_ != current_) {
        log::debug(who(), "a verdict about pid {} came after its end and is not counted", probed_.pid);
        return;
    }
    if (!follows_supervisord() && report.process.running()) {
        const bool other = found_.running() && report.process != found_;
        found_ = report.process;
        if (other) {
            new_process("the process found is another one now");
            return;
        }
    }
    accept(report);
}

void Cat::new_process(const std::string& why) {
    log::info(who(), "{} (pid {}): counts start afresh", why, found_.pid);
    threshold_.on_new_process();
    eligible_ = Clock::now() + config().initial_delay;
}

void Cat::restore_failed() {
    const Event event = threshold_.restore_failed();
    log::info(who(), "failed before healthcheckd was started; now {}", to_string(threshold_.state()));
    if (event != Event::none && last_probe_)
        on_event_(*this, event, last_probe_->report);
}

void Cat::accept(const Report& report) {
    ++counters_.probes;
    const CatState before = threshold_.state();
    const Event event = threshold_.on_verdict(report.verdict, report.weight);
    if (bound_to_process() && report.verdict == Verdict::failure && before != CatState::failing)
        on_first_failure_();
    last_probe_ = LastProbe{std::chrono::system_clock::now(), report};
    if (verdicts_.size() == kSeenVerdicts)
        verdicts_.pop_front();
    verdicts_.push_back(
        {last_probe_->at, std::string(to_string(report.verdict)), report.value, report.unit, report.message});
    log_verdict(before, event, report);
    if (event == Event::fired)
        ++counters_.fired;
    if (event != Event::none)
        on_event_(*this, event, report);
}

void Cat::log_verdict(CatState before, Event event, const Report& report) {
    const CatState after = threshold_.state();
    const auto& limits = threshold_.limits();
    if (report.verdict == Verdict::unknown) {
        if (event == Event::unmeasurable)
            log::error(who(), "{} -> {}: could not be checked {} times in a row: {}", to_string(before),
                       to_string(after), limits.failure, report.message);
        else if (report.message != last_unknown_)
            log::warning(who(), "could not be checked: {}", report.message);
        last_unknown_ = report.message;
        return;
    }
    last_unknown_.clear();
    if (event == Event::fired) {
        log::warning(who(), "{} -> {}: failure {} of {}: {}", to_string(before), to_string(after),
                     limits.failure, limits.failure, report.message);
    } else if (before != after) {
        log::info(who(), "{} -> {} (failures {}/{}, successes {}/{}): {}", to_string(before),
                  to_string(after), threshold_.failures(), limits.failure, threshold_.successes(),
                  limits.success, report.message);
    } else if (report.verdict == Verdict::failure && !threshold_.failed()) {
        log::info(who(), "failure {} of {}: {}", threshold_.failures(), limits.failure, report.message);
    } else {
        log::debug(who(), "{}: {}", to_string(report.verdict), report.message);
    }
}

}  // namespace healthcheckd::master
