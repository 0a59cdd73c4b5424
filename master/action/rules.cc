#include "master/action/rules.h"

#include "master/trust/own_line.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

bool restarts(const ActionSet& actions) {
    return actions.main() != nullptr && actions.main()->restarts;
}

}  // namespace

std::string ActionRules::refusal(const Cat& cat, const ActionType* action, const Report& evidence) const {
    if (action == nullptr || !action->stops_program)
        return "";
    const Program* program = facts_.find_program(cat.program());
    const bool own = program != nullptr && is_in(facts_.own_line, program->process);
    if (!own && !is_in(facts_.own_line, evidence.process))
        return "";
    return fmt::format("healthcheckd itself runs by {} (pid {}), and would stop itself and not come back; "
                       "email, webhook and exec can be used for it",
                       cat.program(), own ? program->process.pid : evidence.process.pid);
}

std::string ActionRules::obstacle(const Cat& cat, const Report& report, const std::string& work) const {
    if (!work.empty())
        return fmt::format("{} is under way for {}", work, cat.program());
    if (restarts(cat.config().action) && facts_.being_finished(cat.program()))
        return fmt::format("an unfinished restart of {} is being finished", cat.program());
    const Program* program = facts_.find_program(cat.program());
    if (cat.bound_to_process() && program != nullptr &&
        (program->state == kStopping || program->state == kStopped))
        return fmt::format("somebody is stopping {}", cat.program());
    if (cat.bound_to_process() && program != nullptr && report.process != program->process)
        return fmt::format("the verdict is about pid {}, the program has pid {} now", report.process.pid,
                           program->process.pid);
    if (program != nullptr && restarted_here(cat, *program))
        return fmt::format("healthcheckd itself has just restarted {}", cat.program());
    return "";
}

bool ActionRules::restarted_here(const Cat& cat, const Program& program) const {
    if (!cat.config().type->counts_restarts || !restarts(cat.config().action) || !program.runs())
        return false;
    const auto found = restarted_.find(program.name);
    return found != restarted_.end() && found->second == program.starts;
}

}  // namespace healthcheckd::master
