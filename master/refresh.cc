#include "master/refresh.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

constexpr Milliseconds kReconcile{30'000};  // interval in which added and renamed programs are found
// Interval in which a program that somebody started again is found.
constexpr Milliseconds kStoppedProgram{4'000};
constexpr Milliseconds kMostReconcile{120'000};  // maximum, when supervisord takes long to answer
constexpr int kRestInTransition = 3;             // factor while a program is starting or has ended
// Factor on supervisord's answer time: leaves supervisord in peace between reconciliations.
constexpr int kRestForWork = 1'500;
// First delay in which the next process of a program that ended is found.
constexpr Milliseconds kTransitionFirst{100};
constexpr Milliseconds kTransitionMost{1'000};

// Depends on each program's own age: a program that stays down must not slow down the handling of a crash loop.
Milliseconds transition_delay(const Program& program, TimePoint now) {
    const auto age = std::chrono::duration_cast<Milliseconds>(now - program.changed);
    const Milliseconds longest =  // one that EXITED may stay so for good
        program.state == kExited ? kStoppedProgram : kTransitionMost;
    return std::clamp(age, kTransitionFirst, longest);
}

}  // namespace

Milliseconds refresh_delay(const Cats& cats, const ProgramTable& table, Milliseconds answer_time,
                           TimePoint now) {
    // A table of hundreds of programs occupies supervisord for a tenth of a second, in which it does nothing else.
    Milliseconds delay = std::clamp(answer_time * kRestForWork, kReconcile, kMostReconcile);
    if (cats.awaits_members())
        delay = kStoppedProgram;
    for (const auto& cat : cats.all()) {
        if (!cat->config().enabled)
            continue;
        const Program* program = table.find(cat->program());
        // No failure counts until the program is known to run.
        if (program != nullptr && program->runs() && program->state == kStarting)
            delay = std::min(delay, transition_delay(*program, now));
        if (!cat->follows_supervisord() && program == nullptr)
            continue;
        if (program == nullptr || !program->runs() || !program->hidden.empty())
            delay = std::min(delay, kStoppedProgram);
        else if (!table.announces_end(program->name))
            delay = std::min(delay, std::max(cat->config().period, Milliseconds(1'000)));
        if (program != nullptr && program->in_transition())
            delay = std::min(delay, transition_delay(*program, now));
    }
    return std::max(delay, answer_time * kRestInTransition);
}

}  // namespace healthcheckd::master
