#include "master/state.h"

#include "common/text/cat_table.h"
#include "common/text/json.h"
#include "common/text/printable.h"
#include "common/text/table.h"
#include "common/text/time.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

using nlohmann::json;

json last_probe(const Cat& cat) {
    if (!cat.last_probe())
        return nullptr;
    const Report& report = cat.last_probe()->report;
    return {{"at", utc_timestamp(cat.last_probe()->at)},
            {"verdict", to_string(report.verdict)},
            {"value", report.value},
            {"limit", report.limit},
            {"unit", report.unit},
            {"tookMs", static_cast<double>(report.took_us) / 1000},
            {"message", printable(report.message)}};
}

json last_action(const Cat& cat) {
    if (!cat.last_action())
        return nullptr;
    return {{"at", utc_timestamp(cat.last_action()->at)},
            {"kind", cat.last_action()->kind},
            {"ok", cat.last_action()->ok},
            {"message", printable(cat.last_action()->message)}};
}

json running_action(const Cat& cat) {
    if (!cat.activity())
        return nullptr;
    return {{"since", utc_timestamp(cat.activity()->since)},
            {"kind", to_string(cat.activity()->action)},
            {"phase", printable(cat.activity()->phase)}};
}

json paused(const Cat& cat) {
    if (!cat.paused())
        return nullptr;
    const auto until = cat.paused()->until;
    return {{"until", until ? json(utc_timestamp(*until)) : json(nullptr)}};
}

pid_t measured_pid(const Cat& cat) {
    return cat.last_probe() ? cat.last_probe()->report.process.pid : 0;
}

// Returns "healthy", "failed, restarting for 12 s (STOPPING)", "failed, paused".
std::string state_shown(const Cat& cat) {
    std::string text(cat.state_text());
    if (const auto& activity = cat.activity())
        text += ", " + activity_text(to_string(activity->action),
                                     std::chrono::system_clock::now() - activity->since, activity->phase);
    return text + (cat.paused() ? ", paused" : "");
}

json cat_json(const Cat& cat) {
    const Threshold& threshold = cat.threshold();
    return {
        {"name", cat.name()},
        {"program", cat.program()},
        {"type", to_string(cat.config().type)},
        {"state", cat.state_text()},
        {"enabled", cat.config().enabled},
        {"dryRun", cat.config().dry_run},
        {"paused", paused(cat)},
        {"programState", cat.program_state()},
        {"pid", measured_pid(cat)},
        {"failures", threshold.failures()},
        {"successes", threshold.successes()},
        {"failureThreshold", threshold.limits().failure},
        {"successThreshold", threshold.limits().success},
        {"lastProbe", last_probe(cat)},
        {"probes", cat.counters().probes},
        {"skippedTicks", cat.counters().skipped_ticks},
        {"worker",
         {{"pid", cat.worker().pid()},
          {"spawns", cat.worker().spawns()},
          {"lastExit", printable(cat.worker().last_exit())}}},
        {"actions",
         {{"fired", cat.counters().fired}, {"running", running_action(cat)}, {"last", last_action(cat)}}}};
}

// A cat of a group without members: nothing is checked, which must not look healthy.
json absent_json(const Cats::Absent& absent, const StateView& view) {
    const CatConfig& cat = absent.cat;
    const bool known = absent.asked || !view.supervisord_error.empty();
    const std::string why = view.supervisord_error.empty() ? "supervisord has no such group"
                                                           : "supervisord: " + view.supervisord_error;
    json probe = nullptr;
    if (known)
        probe = {{"at", utc_timestamp(std::chrono::system_clock::now())},
                 {"verdict", to_string(Verdict::unknown)},
                 {"value", 0},
                 {"limit", 0},
                 {"unit", ""},
                 {"tookMs", 0},
                 {"message", printable(why)}};
    return {{"name", cat.name},
            {"program", cat.program},
            {"type", to_string(cat.type)},
            {"state", to_string(known ? CatState::unknown : CatState::starting)},
            {"enabled", true},
            {"dryRun", cat.dry_run},
            {"paused", nullptr},
            {"programState", ""},
            {"pid", 0},
            {"failures", 0},
            {"successes", 0},
            {"failureThreshold", cat.failure_threshold},
            {"successThreshold", cat.success_threshold},
            {"lastProbe", std::move(probe)},
            {"probes", 0},
            {"skippedTicks", 0},
            {"worker", {{"pid", 0}, {"spawns", 0}, {"lastExit", ""}}},
            {"actions", {{"fired", 0}, {"running", nullptr}, {"last", nullptr}}}};
}

}  // namespace

std::string state_json(const StateView& view) {
    json cats = json::array();
    for (const auto& cat : view.cats)
        cats.push_back(cat_json(*cat));
    for (const Cats::Absent& absent : view.absent)
        cats.push_back(absent_json(absent, view));
    const json state = {
        {"version", HEALTHCHECKD_VERSION},
        {"pid", ::getpid()},
        {"started", utc_timestamp(view.started)},
        {"config", view.config_file},
        {"supervisord",
         {{"reachable", view.supervisord_reachable}, {"error", printable(view.supervisord_error)}}},
        {"cats", std::move(cats)},
        {"mail",
         {{"queued", view.mails.queued},
          {"sent", view.mails.sent},
          {"failed", view.mails.failed},
          {"refusal", view.mails.refusal.empty() ? json(nullptr) : json(view.mails.refusal)}}}};
    // Names come from files in any encoding: bytes that are not UTF-8 must not prevent the dump.
    return json_text(state, 2) + '\n';
}

std::vector<std::string> state_table(const StateView& view) {
    Table table = cat_table();
    for (const auto& cat : view.cats) {
        const Threshold& threshold = cat->threshold();
        const auto of = [](std::uint32_t count, std::uint32_t limit) {
            return fmt::format("{}/{}", count, limit);
        };
        table.add({{printable(cat->name())},
                   {printable(cat->program())},
                   {std::string(to_string(cat->config().type))},
                   {state_shown(*cat)},
                   {measured_pid(*cat) > 0 ? std::to_string(measured_pid(*cat)) : "-"},
                   {of(threshold.failures(), threshold.limits().failure)},
                   {of(threshold.successes(), threshold.limits().success)},
                   {std::to_string(cat->counters().fired)},
                   {cat->last_probe() ? printable(cat->last_probe()->report.message, 120) : "-"}});
    }
    return table.lines(false);
}

}  // namespace healthcheckd::master
