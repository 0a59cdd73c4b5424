// Decides when a cat fails and when it is healthy again. Pure value; no I/O. Master.
//
//   failure  successes = 0, failures += weight. At the failure threshold the cat is *failed*, the event `fired`
//            comes once, and failures start again from 0: the next event comes after as many failures again.
//   success  successes += 1. At the success threshold failures = 0, and a failed cat is `resolved`. Until then
//            failures stay, so that a program that flaps still reaches the threshold.
//   idle     both counts go to 0; a restart cat keeps them, as a crash loop is mostly seen as "not running".
//   unknown  changes neither count. As many in a row as the failure threshold give the event `unmeasurable`, once.
#pragma once

#include "common/wire/verdict.h"

#include <cstdint>
#include <string_view>

namespace healthcheckd::master {

enum class CatState : std::uint8_t { starting, healthy, failing, failed, idle, unknown };
std::string_view to_string(CatState state);

enum class Event : std::uint8_t {
    none,
    fired,         // the cat's action is due
    resolved,      // a failed cat is healthy again
    unmeasurable,  // the check itself does not work
};

struct ThresholdLimits {
    std::uint32_t failure = 3;  // 1 or more
    std::uint32_t success = 1;  // 1 or more
    bool counts_restarts = false;
};

class Threshold {
public:
    explicit Threshold(ThresholdLimits limits) : limits_(limits) {}

    // `weight`: the number of failures that a failure stands for, 1 or more.
    Event on_verdict(Verdict verdict, std::uint32_t weight = 1);

    // No verdict came for too long: unknown at once, whatever the counts. Returns `unmeasurable`, unless the
    // cat was unmeasurable already.
    Event on_silence();

    // The program has a new process, and the counts were about the old one: resets them. Does
    // nothing for a restart cat.
    void on_new_process();

    // A previous run announced that the cat failed. Returns `resolved` when the cat is already healthy.
    Event restore_failed();

    // Restores the counts of a previous run, before the first verdict.
    void restore(bool failed, std::uint32_t failures, std::uint32_t successes);

    CatState state() const { return state_; }
    bool failed() const { return failed_; }
    std::uint32_t failures() const { return failures_; }
    std::uint32_t successes() const { return successes_; }
    const ThresholdLimits& limits() const { return limits_; }

private:
    Event on_failure(std::uint32_t weight);
    Event on_success();

    ThresholdLimits limits_;
    std::uint32_t failures_ = 0;
    std::uint32_t successes_ = 0;
    std::uint32_t unknowns_ = 0;  // in a row
    bool failed_ = false;
    CatState state_ = CatState::starting;
};

}  // namespace healthcheckd::master
