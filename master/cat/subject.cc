#include "master/cat/subject.h"

namespace healthcheckd::master {

void Subject::describe(const Program* program, ProbeCommand& command) {
    constexpr std::uint64_t kMostRestarts = 1'000'000;
    if (program != nullptr) {
        command.process = program->process;
        command.state = program->state_text();
        if (!knows_starts_ || program->starts < starts_seen_)
            know_starts(*program);
        starts_sent_ = program->starts;
        command.restarts =
            static_cast<std::uint32_t>(std::min(program->starts - starts_seen_, kMostRestarts));
    }
    probed_ = command.process;
}

Subject::Started Subject::on_program_started(const Program& program, bool nothing_said) {
    Started started{.first = nothing_said && !current_.running()};
    current_ = program.process;
    const ProcessId counted = std::exchange(counted_, {});
    started.counts_of_other = counted.running() && counted != current_;
    if (!knows_starts_)
        know_starts(program);
    return started;
}

}  // namespace healthcheckd::master
