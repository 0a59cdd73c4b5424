// What a firing of a cat would do, and what prevents it; starts no action. Master.
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

std::string audience_of(const Config& config, const std::string& label) {
    const ChannelConfig* channel = config.channel(label);
    return channel != nullptr && channel->kind->audience != nullptr ? channel->kind->audience(*channel)
                                                                    : label;
}

}  // namespace

Incident ActionRunner::incident_of(Cat& cat, Event event, const Report& report) {
    const Program* program = deps_.find_program(cat.program());
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
    if (deps_.config->supervisord_url.starts_with(kUnixScheme))
        request.supervisor_socket = deps_.config->supervisord_url.substr(kUnixScheme.size());
    request.supervisor_port = local_port(deps_.config->supervisord_url);
    request.files_are_here = deps_.programs_are_here();
    request.supervisor_rule = owner_rule(*deps_.config, deps_.supervisor_owner());
    request.own_line = rules_.own_line();
    request.program_state = program != nullptr ? program->state_text() : "";
    request.of_program = cat.bound_to_process();
    request.at = std::chrono::system_clock::now();
    request.state_dir = deps_.config->state_dir;
    request.verdicts = cat.last_verdicts();
    request.channels = channels_of(*deps_.config, cat.config().action);
    // Never less than the previous id: after the clock is set back, a recovery must still sort after its
    // failure.
    const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(request.at.time_since_epoch());
    last_id_ = std::max(now, last_id_);
    request.notice_id = fmt::format("{:020}-{:06}", last_id_.count(), incidents_++);
    request.run_id = deps_.run_id;
    return incident;
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
        lines.push_back("would tell " + audience_of(*deps_.config, channel));
    const bool nothing = lines.empty();
    if (!cat.config().enabled)
        lines.emplace_back("but it is not enabled: it is never probed");
    else if (cat.paused())
        lines.emplace_back("but it is paused: it is not probed");
    else if (!cat.last_probe())
        lines.emplace_back("it has not been probed yet");
    else if (const std::string refused = rules_.refusal(cat, incident.action, incident.request.evidence);
             !refused.empty())
        lines.push_back("would be refused: " + refused);
    else if (const std::string why = rules_.obstacle(cat, report, work_at(cat.program()));
             !why.empty() && incident.action != nullptr)
        lines.push_back("would not begin now: " + why);
    if (nothing)
        lines.push_back(fmt::format("would do nothing: its action is {}, and nobody is there to be told",
                                    actions_text(cat.config().action)));
    return lines;
}

std::string ActionRunner::work_at(const std::string& program) const {
    const auto found = std::ranges::find_if(running_, [&](const Running& running) {
        return running.working() && running.incident.request.program == program;
    });
    return found == running_.end()
               ? ""
               : fmt::format("{} of {}", to_string(found->incident.action), found->incident.request.cat_name);
}

}  // namespace healthcheckd::master
