#include "master/cat/record.h"

#include <memory>
#include <utility>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kSeenVerdicts = 5;

}  // namespace

void Record::see(const Report& report, Wall at) {
    last_probe_ = LastProbe{at, report};
    if (verdicts_.size() == kSeenVerdicts)
        verdicts_.pop_front();
    verdicts_.push_back(
        {at, std::string(to_string(report.verdict)), report.value, report.unit, report.message});
}

void Record::note_verdict(CatState after) {
    const Report& report = last_probe_->report;
    HistoryEvent seen;
    seen.at = last_probe_->at;
    seen.value = report.value;
    seen.took_us = report.took_us;
    seen.verdict = report.verdict;
    seen.state = after;
    if (report.verdict != Verdict::success)
        seen.text = std::make_unique<const std::string>(report.message);
    history_.add(std::move(seen));
}

void Record::note(std::string text, Wall at, CatState state) {
    HistoryEvent event;
    event.at = at;
    event.kind = HistoryEvent::Kind::note;
    event.state = state;
    event.text = std::make_unique<const std::string>(std::move(text));
    history_.add(std::move(event));
}

void Record::add_action(RememberedAction action, CatState state) {
    HistoryEvent event;
    event.at = action.at;
    event.kind = HistoryEvent::Kind::action;
    event.state = state;
    event.action = find_action(action.kind);
    event.ok = action.ok;
    event.text = std::make_unique<const std::string>(action.message);
    history_.add(std::move(event));
    if (actions_.size() == kMostActions)
        actions_.pop_front();
    actions_.push_back(std::move(action));
}

}  // namespace healthcheckd::master
