#include "master/control/control.h"

#include "common/log/log.h"
#include "common/text/printable.h"
#include "common/text/suggest.h"
#include "common/text/time.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/ranges.h>

namespace healthcheckd::master {

namespace {

using nlohmann::json;

constexpr Milliseconds kStateAge{200};

ControlServer::Text text_of(const json& answer) {
    return std::make_shared<const std::string>(answer.dump(-1, ' ', false, json::error_handler_t::replace) +
                                               '\n');
}

std::vector<std::string> names_of(const std::vector<std::shared_ptr<Cat>>& cats) {
    std::vector<std::string> names;
    for (const auto& cat : cats)
        names.push_back(cat->name());
    return names;
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

}  // namespace

Control::Control(Loop& loop, Master& master, Reloader& reloader)
    : master_(master), reloader_(reloader),
      server_(loop, [this](const ControlRequest& request, const Reply& reply) {
          std::visit([&](const auto& one) { on(one, reply); }, request);
      }) {}

void Control::start(const std::string& path) {
    if (const auto listening = server_.listen(path); !listening)
        log::error("", "healthcheckctl cannot ask: {}", listening.error().text());
}

std::vector<std::shared_ptr<Cat>> Control::cats(const std::string& name, const Reply& reply) const {
    const auto found = master_.cats().named(name);
    if (!found.empty())
        return found;
    const auto all = master_.cats().all();
    std::vector<std::string_view> known;
    for (const auto& cat : all) {
        known.push_back(cat->name());
        known.push_back(cat->program());
    }
    reply(ControlServer::refusal("there is no cat or program '" + printable(name) + "'" +
                                 did_you_mean(name, known)));
    return {};
}

std::shared_ptr<Cat> Control::one(const std::string& name, const Reply& reply) const {
    const auto found = cats(name, reply);
    if (found.size() == 1)
        return found.front();
    if (!found.empty())
        reply(ControlServer::refusal(
            fmt::format("'{}' has several cats: {}", printable(name), fmt::join(names_of(found), ", "))));
    return nullptr;
}

void Control::on(const StatusRequest&, const Reply& reply) {
    if (!*state_ || Clock::now() - state_at_ >= kStateAge) {
        *state_ = std::make_shared<const std::string>(
            "{\"ok\": true, \"state\": " + state_json(master_.view()) + "}\n");
        state_at_ = Clock::now();
    }
    reply(*state_);
}

void Control::on(const PauseRequest& request, const Reply& reply) {
    const auto found = cats(request.name, reply);
    if (found.empty())
        return;
    std::optional<Milliseconds> how_long;
    if (request.for_ms > 0)
        how_long = Milliseconds(request.for_ms);
    for (const auto& cat : found)
        cat->pause(Clock::now(), how_long);
    state_->reset();
    master_.write_memory();
    const auto until = found.front()->paused()->until;
    reply(text_of({{"ok", true},
                   {"cats", names_of(found)},
                   {"until", until ? json(utc_timestamp(*until)) : json(nullptr)}}));
}

void Control::on(const ResumeRequest& request, const Reply& reply) {
    auto found = cats(request.name, reply);
    if (found.empty())
        return;
    std::erase_if(found, [](const auto& cat) { return !cat->resume(); });
    if (found.empty())
        return reply(ControlServer::refusal("'" + printable(request.name) + "' is not paused"));
    state_->reset();
    master_.write_memory();
    reply(text_of({{"ok", true}, {"cats", names_of(found)}}));
}

void Control::on(const CheckRequest& request, const Reply& reply) {
    const auto cat = one(request.name, reply);
    if (!cat)
        return;
    const auto done = [reply, state = state_, weak = std::weak_ptr<Cat>(cat),
                       name = cat->name()](const Report& report) {
        state->reset();
        const auto alive = weak.lock();
        reply(text_of({{"ok", true},
                       {"cat", name},
                       {"verdict", to_string(report.verdict)},
                       {"message", printable(report.message)},
                       {"value", report.value},
                       {"limit", report.limit},
                       {"unit", report.unit},
                       {"tookMs", static_cast<double>(report.took_us) / 1000},
                       {"state", alive ? alive->state_text() : "gone"}}));
    };
    master_.check_now(*cat, done);
}

void Control::on(const TestActionRequest& request, const Reply& reply) {
    if (const auto cat = one(request.name, reply))
        reply(text_of({{"ok", true}, {"cat", cat->name()}, {"lines", master_.plan(*cat)}}));
}

void Control::on(const ReloadRequest&, const Reply& reply) {
    reloader_.request([reply, state = state_](const ReloadOutcome& outcome) {
        state->reset();
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

void Control::on(const HistoryRequest& request, const Reply& reply) {
    const auto cat = one(request.name, reply);
    if (!cat)
        return;
    const std::string unit = cat->last_probe() ? cat->last_probe()->report.unit : "";
    json events = json::array();
    for (std::size_t i = 0; i < cat->history().size(); ++i)
        events.push_back(event_json(cat->history()[i], unit));
    reply(text_of({{"ok", true}, {"cat", cat->name()}, {"events", std::move(events)}}));
}

}  // namespace healthcheckd::master
