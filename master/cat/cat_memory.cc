// What a cat remembers of itself: its last verdicts and actions, and what its next life takes over. Master.
#include "common/log/log.h"
#include "master/cat/cat.h"
#include "master/config/compare.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

void Cat::restore(const RememberedCat& cat, std::string_view when) {
    const auto now = std::chrono::system_clock::now();
    for (const RememberedAction& action : cat.actions) {
        actions_.push_back(action);
        add_action(action);
    }
    if (cat.paused && !cat.paused_until)
        pause(Clock::now(), std::nullopt);
    else if (cat.paused && *cat.paused_until > now)
        pause(Clock::now(), std::chrono::ceil<Milliseconds>(*cat.paused_until - now));
    if (cat.definition != definition_of(*identity_.config, config())) {
        if (cat.failed && cat.about == about())
            restore_failed(when);
        return;
    }
    threshold_.restore(cat.failed, cat.failures, cat.successes);
    counters_.probes = cat.probes;
    counters_.fired = cat.fired;
    (follows_supervisord() ? counted_ : found_) = cat.process;
    if (threshold_.state() != CatState::starting)
        log_change(log::Level::info, CatState::starting,
                   fmt::format("{} {}", cat.failed ? "failed" : "had failures", when));
}

std::string Cat::about() const {
    return program() + ' ' + std::string(to_string(config().type));
}

RememberedCat Cat::remembered() const {
    RememberedCat cat;
    cat.definition = definition_of(*identity_.config, config());
    cat.about = about();
    cat.failed = threshold_.failed();
    cat.failures = threshold_.failures();
    cat.successes = threshold_.successes();
    cat.process = follows_supervisord() ? current_ : found_;
    cat.probes = counters_.probes;
    cat.fired = counters_.fired;
    if (const auto pause = paused()) {
        cat.paused = true;
        cat.paused_until = pause->until;
    }
    cat.actions = {actions_.begin(), actions_.end()};
    return cat;
}

void Cat::note(std::string text, std::chrono::system_clock::time_point at) {
    HistoryEvent event;
    event.at = at;
    event.kind = HistoryEvent::Kind::note;
    event.state = threshold_.state();
    event.text = std::make_unique<const std::string>(std::move(text));
    history_.add(std::move(event));
}

void Cat::add_action(const RememberedAction& action) {
    HistoryEvent event;
    event.at = action.at;
    event.kind = HistoryEvent::Kind::action;
    event.state = threshold_.state();
    event.action = find_action(action.kind);
    event.ok = action.ok;
    event.text = std::make_unique<const std::string>(action.message);
    history_.add(std::move(event));
}

void Cat::on_action_begun(const ActionType& action) {
    const auto now = std::chrono::system_clock::now();
    activity_ = Activity{&action, now, {}};
    ++counters_.fired;
    ++deeds_;
    note(fmt::format("{} begins", action.name), now);
}

void Cat::on_action_phase(std::string phase) {
    if (activity_)
        activity_->phase = std::move(phase);
}

void Cat::on_action_ended(const ActionType& action, bool ok, std::string message) {
    activity_.reset();
    if (actions_.size() == kMostActions)
        actions_.pop_front();
    actions_.push_back({std::chrono::system_clock::now(), std::string(action.name), ok, std::move(message)});
    add_action(actions_.back());
    ++deeds_;
}

void Cat::remember(const Report& report) {
    HistoryEvent seen;
    seen.at = last_probe_->at;
    seen.value = report.value;
    seen.took_us = report.took_us;
    seen.verdict = report.verdict;
    seen.state = threshold_.state();
    if (report.verdict != Verdict::success)
        seen.text = std::make_unique<const std::string>(report.message);
    history_.add(std::move(seen));
}

}  // namespace healthcheckd::master
