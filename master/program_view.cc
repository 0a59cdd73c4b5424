#include "master/program_view.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

namespace healthcheckd::master {

ProgramView program_view(const Cat& cat, const ProgramTable& table, const SupervisordAnswers& answers) {
    if (!cat.follows_supervisord() && cat.config().pid_get != PidGet::name)
        return {};
    // Whose the program's process is, tells supervisord; whether there is an answer or none.
    if (!cat.follows_supervisord()) {
        ProgramView view{.pending = !answers.asked, .user = table.user_of(cat.program())};
        if (!answers.reached && !cat.config().pid_user)
            view.user_unknown = fmt::format("supervisord was never reached: {}", answers.error);
        return view;
    }
    if (!answers.asked)
        return {.pending = true};
    if (!answers.reached)
        return {.unknown = fmt::format("supervisord was never reached: {}", answers.error)};
    if (const Program* program = table.find(cat.program())) {
        // Whoever measures no process needs no look at it.
        if (!program->hidden.empty() && (!program->runs() || cat.config().measures_process()))
            return {.unknown = "its process could not be looked at: " + program->hidden};
        return {.program = program};
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
