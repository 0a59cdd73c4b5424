#include "master/cat/threshold.h"

#include <algorithm>
#include <limits>

namespace healthcheckd::master {

namespace {

// Saturates: a check may run for years.
std::uint32_t add_saturated(std::uint32_t a, std::uint32_t b) {
    const std::uint32_t room = std::numeric_limits<std::uint32_t>::max() - a;
    return a + (b < room ? b : room);
}

}  // namespace

std::string_view to_string(CatState state) {
    switch (state) {
    case CatState::starting:
        return "starting";
    case CatState::healthy:
        return "healthy";
    case CatState::failing:
        return "failing";
    case CatState::failed:
        return "failed";
    case CatState::idle:
        return "idle";
    case CatState::unknown:
        return "unknown";
    }
    __builtin_unreachable();
}

Event Threshold::on_verdict(Verdict verdict, std::uint32_t weight) {
    if (verdict == Verdict::unknown) {
        unknowns_ = add_saturated(unknowns_, 1);
        if (unknowns_ < limits_.failure)
            return Event::none;
        state_ = CatState::unknown;
        return unknowns_ == limits_.failure ? Event::unmeasurable : Event::none;
    }
    unknowns_ = 0;
    switch (verdict) {
    case Verdict::failure:
        return on_failure(weight);
    case Verdict::success:
        return on_success();
    case Verdict::idle:
        if (!limits_.counts_restarts)
            failures_ = successes_ = 0;
        state_ = CatState::idle;
        return Event::none;
    case Verdict::unknown:
        break;
    }
    __builtin_unreachable();
}

Event Threshold::on_silence() {
    const bool told = unknowns_ >= limits_.failure;
    unknowns_ = std::max(unknowns_, limits_.failure);
    state_ = CatState::unknown;
    return told ? Event::none : Event::unmeasurable;
}

Event Threshold::on_failure(std::uint32_t weight) {
    successes_ = 0;
    failures_ = add_saturated(failures_, weight);
    if (failures_ < limits_.failure) {
        state_ = failed_ ? CatState::failed : CatState::failing;
        return Event::none;
    }
    failures_ = 0;
    failed_ = true;
    state_ = CatState::failed;
    return Event::fired;
}

Event Threshold::on_success() {
    successes_ = add_saturated(successes_, 1);
    if (successes_ >= limits_.success) {
        failures_ = 0;
        state_ = CatState::healthy;
        if (failed_) {
            failed_ = false;
            return Event::resolved;
        }
        return Event::none;
    }
    state_ = failed_ ? CatState::failed : failures_ > 0 ? CatState::failing : CatState::healthy;
    return Event::none;
}

Event Threshold::restore_failed() {
    if (state_ == CatState::healthy)
        return Event::resolved;
    failed_ = true;
    if (state_ == CatState::starting || state_ == CatState::failing)
        state_ = CatState::failed;
    return Event::none;
}

void Threshold::restore(bool failed, std::uint32_t failures, std::uint32_t successes) {
    failed_ = failed;
    // Kept below the thresholds, whatever was saved: the next verdict decides.
    failures_ = std::min(failures, limits_.failure - 1);
    successes_ = std::min(successes, limits_.success - 1);
    state_ = failed_ ? CatState::failed : failures_ > 0 ? CatState::failing : CatState::starting;
}

void Threshold::on_new_process() {
    if (limits_.counts_restarts)
        return;
    failures_ = successes_ = unknowns_ = 0;
    state_ = failed_ ? CatState::failed : CatState::starting;
}

}  // namespace healthcheckd::master
