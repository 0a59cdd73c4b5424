// The handlers of healthcheckctl's commands.
#include "common/text/json.h"
#include "common/text/printable.h"
#include "common/text/time.h"
#include "master/control/control.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

using nlohmann::json;
using Reply = Control::Reply;

ControlServer::Text text_of(const json& answer) {
    return std::make_shared<const std::string>(json_text(answer) + '\n');
}

json event_json(const HistoryEvent& event, const std::string& unit) {
    const std::string text = event.text ? printable(*event.text) : "";
    const std::string at = utc_timestamp(event.at);
    switch (event.kind) {
    case HistoryEvent::Kind::verdict:
        return {{"at", at},
                {"kind", "verdict"},
                {"verdict", to_string(event.verdict)},
                {"value", event.value},
                {"unit", unit},
                {"tookMs", static_cast<double>(event.took_us) / 1000},
                {"text", text},
                {"state", to_string(event.state)}};
    case HistoryEvent::Kind::action:
        return {{"at", at},
                {"kind", "action"},
                {"action", to_string(event.action)},
                {"ok", event.ok},
                {"text", text}};
    case HistoryEvent::Kind::note:
        return {{"at", at}, {"kind", "state"}, {"text", text}};
    }
    __builtin_unreachable();
}

void on_status(Control& control, const ControlRequest&, const Reply& reply) {
    reply(control.state());
}

void on_pause(Control& control, const ControlRequest& request, const Reply& reply) {
    const auto found = control.cats(request.name, reply);
    if (found.empty())
        return;
    std::optional<Milliseconds> how_long;
    if (request.for_ms > 0)
        how_long = Milliseconds(request.for_ms);
    for (const auto& cat : found)
        cat->pause(Clock::now(), how_long);
    control.on_change()();
    control.master().write_memory();
    const auto until = found.front()->paused()->until;
    reply(text_of({{"ok", true},
                   {"cats", names_of(found)},
                   {"until", until ? json(utc_timestamp(*until)) : json(nullptr)}}));
}

void on_resume(Control& control, const ControlRequest& request, const Reply& reply) {
    auto found = control.cats(request.name, reply);
    if (found.empty())
        return;
    std::erase_if(found, [](const auto& cat) { return !cat->resume(); });
    if (found.empty())
        return reply(ControlServer::refusal("'" + printable(request.name) + "' is not paused"));
    control.on_change()();
    control.master().write_memory();
    reply(text_of({{"ok", true}, {"cats", names_of(found)}}));
}

void on_check(Control& control, const ControlRequest& request, const Reply& reply) {
    const auto cat = control.one(request.name, reply);
    if (!cat)
        return;
    // The cat may go while this waits; it captures nothing that may go before.
    const auto done = [reply, changed = control.on_change(), weak = std::weak_ptr<Cat>(cat),
                       name = cat->name()](const Report& report) {
        changed();
        const auto alive = weak.lock();
        reply(text_of({{"ok", true},
                       {"cat", name},
                       {"verdict", to_string(report.verdict)},
                       {"message", printable(report.message)},
                       {"value", report.value},
                       {"limit", report.limit},
                       {"unit", report.unit},
                       {"tookMs", static_cast<double>(report.took_us) / 1000},
                       {"state", alive ? json(alive->state_text()) : json()}}));
    };
    control.master().check_now(*cat, done);
}

void on_test_action(Control& control, const ControlRequest& request, const Reply& reply) {
    if (const auto cat = control.one(request.name, reply))
        reply(text_of({{"ok", true}, {"cat", cat->name()}, {"lines", control.master().plan(*cat)}}));
}

void on_reload(Control& control, const ControlRequest&, const Reply& reply) {
    control.reloader().request([reply, changed = control.on_change()](const ReloadOutcome& outcome) {
        changed();
        if (!outcome.error.empty())
            return reply(text_of({{"ok", false}, {"error", outcome.error}, {"problems", outcome.problems}}));
        std::vector<std::string> notes = outcome.problems;  // warnings
        notes.insert(notes.end(), outcome.notes.begin(), outcome.notes.end());
        reply(text_of({{"ok", true},
                       {"added", outcome.changes.added},
                       {"removed", outcome.changes.removed},
                       {"changed", outcome.changes.changed},
                       {"unchanged", outcome.changes.unchanged},
                       {"notes", notes}}));
    });
}

void on_history(Control& control, const ControlRequest& request, const Reply& reply) {
    const auto cat = control.one(request.name, reply);
    if (!cat)
        return;
    const std::string unit = cat->last_probe() ? cat->last_probe()->report.unit : "";
    json events = json::array();
    for (std::size_t i = 0; i < cat->history().size(); ++i)
        events.push_back(event_json(cat->history()[i], unit));
    reply(text_of({{"ok", true}, {"cat", cat->name()}, {"events", std::move(events)}}));
}

// One for each command with a request of its own (common/wire/control.cc).
constexpr std::pair<std::string_view, void (*)(Control&, const ControlRequest&, const Reply&)> kAnswers[] = {
    {"status", on_status},           {"pause", on_pause},   {"resume", on_resume},   {"check", on_check},
    {"test-action", on_test_action}, {"reload", on_reload}, {"history", on_history},
    // A new command goes above this line.
};

}  // namespace

void answer(Control& control, const ControlRequest& request, const Reply& reply) {
    const auto own =
        std::ranges::find(kAnswers, request.command->name, [](const auto& row) { return row.first; });
    if (own == std::end(kAnswers))
        return reply(
            ControlServer::refusal("this healthcheckd does not know " + std::string(request.command->name)));
    own->second(control, request, reply);
}

}  // namespace healthcheckd::master
