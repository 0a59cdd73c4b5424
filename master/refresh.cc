#include "master/refresh.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

constexpr Milliseconds kReconcile{30'000};       // finds added and renamed programs
constexpr Milliseconds kStoppedProgram{4'000};   // finds a program that somebody started again
constexpr Milliseconds kMostReconcile{120'000};  // when supervisord takes long to answer
constexpr int kRestInTransition = 3;             // ...while a program is starting or has ended
constexpr int kRestForWork = 1'500;              // of supervisord, from one reconciliation to the next
constexpr Milliseconds kTransitionFirst{100};    // finds the next process of a program that ended
constexpr Milliseconds kTransitionMost{1'000};

// Each program by its own age: one that stays down must not slow down the look at a crash loop.
Milliseconds transition_delay(const Program& program, TimePoint now) {
    const auto age = std::chrono::duration_cast<Milliseconds>(now - program.changed);
    const Milliseconds longest =  // one that EXITED may stay so for good
        program.state == kExited ? kStoppedProgram : kTransitionMost;
    return std::clamp(age, kTransitionFirst, longest);
}

}  // namespace

Milliseconds refresh_delay(const Cats& cats, const ProgramTable& table, Milliseconds answer_time,
                           TimePoint now) {
    // A table of hundreds of programs takes supervisord a tenth of a second in which it does nothing else.
    Milliseconds delay = std::clamp(answer_time * kRestForWork, kReconcile, kMostReconcile);
    if (cats.awaits_members())
        delay = kStoppedProgram;
    for (const auto& cat : cats.all()) {
        if (!cat->config().enabled)
            continue;
        const Program* program = table.find(cat->program());
        // No failure counts until it is known to run.
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
