// How long supervisord is left in peace after an answer: as long as the programs that are checked allow. Master.
#pragma once

#include "master/cat/cats.h"
#include "master/supervisord/program_table.h"

namespace healthcheckd::master {

// The time from an answer at `now` to the next question: 100 ms to 1 s while a program that is checked starts or has
// ended, 4 s while one is down or a group has no member, else 30 s; longer, up to 2 min, where an answer takes
// supervisord so long that it would be busy with them. `answer_time` is what an answer usually takes.
Milliseconds refresh_delay(const Cats& cats, const ProgramTable& table, Milliseconds answer_time,
                           TimePoint now);

}  // namespace healthcheckd::master
