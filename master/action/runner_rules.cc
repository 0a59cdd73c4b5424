// What a firing of a cat would do, and what stands in its way: nothing here begins anything. Master.
#include "common/config/texts.h"
#include "common/config/values.h"
#include "master/action/runner.h"
#include "master/notice/notice.h"
#include "master/supervisord/transport.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

constexpr std::string_view kUnixScheme = "unix://";

NoticeKind notice_kind(Event event) {
    return event == Event::resolved       ? NoticeKind::recovered
           : event == Event::unmeasurable ? NoticeKind::unmeasurable
                                          : NoticeKind::failed;
}

bool restarts(const ActionSet& actions) {
    return actions.main() != nullptr && actions.main()->restarts;
}

std::string audience_of(const Config& config, const std::string& label) {
    const ChannelConfig* channel = config.channel(label);
    return channel != nullptr && channel->kind->audience != nullptr ? channel->kind->audience(*channel)
                                                                    : label;
}

}  // namespace

Incident ActionRunner::incident_of(Cat& cat, Event event, const Report& report) {
    const Program* program = needs_.find_program(cat.program());
    Incident incident;
    incident.kind = notice_kind(event);
    incident.action = event == Event::fired ? cat.config().action.main() : nullptr;
    ActionRequest& request = incident.request;
    request.cat = cat.config().without_secrets();
    request.cat_name = cat.name();
    request.program = cat.program();
    request.evidence = report;
    request.failures = cat.threshold().limits().failure;
    request.program_start = program != nullptr ? program->start : 0;
    request.program_user = cat.program_user();
    request.of_supervisord = program != nullptr;
    if (needs_.config->supervisord_url.starts_with(kUnixScheme))
        request.supervisor_socket = needs_.config->supervisord_url.substr(kUnixScheme.size());
    request.supervisor_port = local_port(needs_.config->supervisord_url);
    request.files_are_here = needs_.programs_are_here();
    request.supervisor_rule = owner_rule(*needs_.config, needs_.supervisor_owner());
    request.own_line = own_line_;
    request.program_state = program != nullptr ? program->state_text() : "";
    request.of_program = cat.bound_to_process();
    request.at = std::chrono::system_clock::now();
    request.state_dir = needs_.config->state_dir;
    request.verdicts = cat.last_verdicts();
    request.channels = channels_of(*needs_.config, cat.config().action);
    // Never below the one before: a clock that is set back must not put a recovery before its failure.
    const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(request.at.time_since_epoch());
    last_id_ = std::max(now, last_id_);
    request.notice_id = fmt::format("{:020}-{:06}", last_id_.count(), incidents_++);
    request.life = needs_.life;
    return incident;
}

std::string ActionRunner::refusal(const Cat& cat, const Incident& incident) const {
    if (incident.action == nullptr || !incident.action->stops_program)
        return "";
    const Program* program = needs_.find_program(cat.program());
    const bool own = program != nullptr && is_in(own_line_, program->process);
    if (!own && !is_in(own_line_, incident.request.evidence.process))
        return "";
    return fmt::format("healthcheckd itself runs by {} (pid {}), and would stop itself and not come back; "
                       "email, webhook and exec can be used for it",
                       cat.program(), own ? program->process.pid : incident.request.evidence.process.pid);
}

std::string ActionRunner::obstacle(const Cat& cat, const Report& report) const {
    if (const Running* other = running_for(cat.program()))
        return fmt::format("{} of {} is under way for {}", to_string(other->incident.action),
                           other->incident.request.cat_name, cat.program());
    if (restarts(cat.config().action) && needs_.being_finished(cat.program()))
        return fmt::format("an unfinished restart of {} is being finished", cat.program());
    const Program* program = needs_.find_program(cat.program());
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

std::vector<std::string> ActionRunner::plan(Cat& cat) {
    Report report;
    if (cat.last_probe())
        report = cat.last_probe()->report;
    const Incident incident = incident_of(cat, Event::fired, report);
    std::vector<std::string> lines;
    if (cat.config().dry_run)
        lines.emplace_back("dry run: it would be told, and not be done");
    if (incident.action != nullptr)
        lines.push_back("would " + incident.action->plan(incident.request));
    for (const std::string& channel : incident.request.channels)
        lines.push_back("would tell " + audience_of(*needs_.config, channel));
    const bool nothing = lines.empty();
    if (!cat.config().enabled)
        lines.emplace_back("but it is not enabled: it is never probed");
    else if (cat.paused())
        lines.emplace_back("but it is paused: it is not probed");
    else if (!cat.last_probe())
        lines.emplace_back("it has not been probed yet");
    else if (const std::string refused = refusal(cat, incident); !refused.empty())
        lines.push_back("would be refused: " + refused);
    else if (const std::string why = obstacle(cat, report); !why.empty() && incident.action != nullptr)
        lines.push_back("would not begin now: " + why);
    if (nothing)
        lines.push_back(fmt::format("would do nothing: its action is {}, and nobody is there to be told",
                                    actions_text(cat.config().action)));
    return lines;
}

bool ActionRunner::restarted_here(const Cat& cat, const Program& program) const {
    if (!cat.config().type->counts_restarts || !restarts(cat.config().action) || !program.runs())
        return false;
    const auto found = restarted_.find(program.name);
    return found != restarted_.end() && found->second == program.starts;
}

const ActionRunner::Running* ActionRunner::running_for(const std::string& program) const {
    const auto found = std::find_if(running_.begin(), running_.end(), [&](const Running& running) {
        return running.working() && running.incident.request.program == program;
    });
    return found == running_.end() ? nullptr : &*found;
}

}  // namespace healthcheckd::master
