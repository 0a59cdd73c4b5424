#include "master/cat/program_view.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

namespace healthcheckd::master {

namespace {

// Only while supervisord answers: otherwise the change to RUNNING would go unnoticed.
bool is_starting(const Program* program, const SupervisordView::Answers& answers) {
    return program != nullptr && program->state == kStarting && answers.error.empty();
}

// The view for cats that find their process themselves.
ProgramView view_beside(const Cat& cat, const ProgramTable& table, const SupervisordView::Answers& answers) {
    const Program* program = table.find(cat.program());
    ProgramView view{.starting = is_starting(program, answers)};
    if (cat.config().pid_get != PidGet::name)
        return view;
    // The user of the program's process comes from supervisord; `pending` until it has answered or failed.
    view.pending = !answers.asked;
    view.user = table.user_of(cat.program());
    if (cat.config().pid_user || view.user)
        return view;
    if (!answers.reached)
        view.user_unknown = fmt::format("supervisord was never reached: {}", answers.error);
    return view;
}

}  // namespace

ProgramView program_view(const Cat& cat, const SupervisordView& supervisord) {
    const ProgramTable& table = supervisord.table();
    const SupervisordView::Answers& answers = supervisord.answers();
    if (!cat.follows_supervisord())
        return view_beside(cat, table, answers);
    if (!answers.asked)
        return {.pending = true};
    if (!answers.reached)
        return {.unknown = fmt::format("supervisord was never reached: {}", answers.error)};
    if (const Program* program = table.find(cat.program())) {
        // A cat that measures no process does not need to see it.
        if (!program->hidden.empty() && (!program->runs() || cat.config().type->measures_process))
            return {.unknown = program->hidden};
        // Without an answer of supervisord it is unknown whether the program runs.
        if (!program->runs() && !answers.error.empty())
            return {.unknown =
                        fmt::format("it did not run when supervisord last answered ({}); since then: {}",
                                    program->state_text(), answers.error)};
        return {.program = program, .starting = is_starting(program, answers)};
    }
    const std::vector<std::string> members = table.members_named(cat.program());
    std::string why = fmt::format("supervisord has no program '{}'", cat.program());
    if (!table.members_of(cat.program()).empty())
        why += fmt::format("; it is a group: {}:* means each of its members", cat.program());
    else if (!members.empty())
        why += fmt::format("; it has {}: use the full name", fmt::join(members, ", "));
    return {.unknown = why};
}

}  // namespace healthcheckd::master
