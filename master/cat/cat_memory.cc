// The memory of a cat: its last verdicts and actions, and what is saved for the next run. Master.
#include "common/log/log.h"
#include "master/cat/cat.h"
#include "master/config/compare.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

void Cat::restore(const RememberedCat& cat, std::string_view when) {
    const auto now = std::chrono::system_clock::now();
    for (const RememberedAction& action : cat.actions)
        record_.add_action(action, threshold_.state());
    if (cat.paused && !cat.paused_until)
        pause(now_(), std::nullopt);
    else if (cat.paused && *cat.paused_until > now)
        pause(now_(), std::chrono::ceil<Milliseconds>(*cat.paused_until - now));
    if (cat.definition != definition_of(*identity_.config, config())) {
        if (cat.failed && cat.about == about())
            restore_failed(when);
        if (cat.failures > 0)
            log::info(who(), "counts start at zero: they were those of other keys, {}", when);
        return;
    }
    threshold_.restore(cat.failed, cat.failures, cat.successes);
    record_.counters.probes = cat.probes;
    record_.counters.fired = cat.fired;
    if (cat.starts_reported)
        subject_.restore_starts(*cat.starts_reported);
    if (follows_supervisord())
        subject_.restore_counted(cat.process);
    else
        subject_.restore_found(cat.process);
    if (threshold_.state() != CatState::starting)
        log_change(who(), threshold_, CatState::starting,
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
    cat.process = follows_supervisord() ? subject_.current() : subject_.found();
    cat.probes = record_.counters.probes;
    cat.fired = record_.counters.fired;
    if (const auto pause = paused()) {
        cat.paused = true;
        cat.paused_until = pause->until;
    }
    cat.actions = {record_.actions().begin(), record_.actions().end()};
    return cat;
}

std::optional<std::uint64_t> Cat::starts_reported() const {
    // Restarts of a pause are not reported, also when its time is over and no tick has ended it.
    return pause_.begun() ? std::nullopt : subject_.starts_reported();
}

void Cat::note(std::string text) {
    record_.note(std::move(text), std::chrono::system_clock::now(), threshold_.state());
}

void Cat::on_action_begun(const ActionType& action) {
    activity_ = Activity{&action, std::chrono::system_clock::now(), {}};
    ++record_.counters.fired;
    ++record_.revision.deeds;
    note(fmt::format("{} begins", action.name));
}

void Cat::on_action_phase(std::string phase) {
    if (activity_)
        activity_->phase = std::move(phase);
}

void Cat::on_action_ended(const ActionType& action, bool ok, std::string message) {
    activity_.reset();
    record_.add_action({std::chrono::system_clock::now(), std::string(action.name), ok, std::move(message)},
                       threshold_.state());
    ++record_.revision.deeds;
}

}  // namespace healthcheckd::master
