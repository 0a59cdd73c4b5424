#include "master/control/control.h"

#include "common/text/printable.h"
#include "common/text/suggest.h"

#include <spdlog/fmt/ranges.h>

namespace healthcheckd::master {

namespace {

constexpr Milliseconds kStateAge{200};

}  // namespace

std::vector<std::string> names_of(const std::vector<std::shared_ptr<Cat>>& cats) {
    std::vector<std::string> names;
    for (const auto& cat : cats)
        names.push_back(cat->name());
    return names;
}

Control::Control(Loop& loop, Master& master, Reloader& reloader)
    : master_(master), reloader_(reloader),
      server_(loop,
              [this](const ControlRequest& request, const Reply& reply) { answer(*this, request, reply); }) {}

void Control::start(const std::string& path) {
    server_.start(path);
}

std::vector<std::shared_ptr<Cat>> Control::cats(const std::string& name, const Reply& reply) const {
    const auto found = master_.cats().named(name);
    if (!found.empty())
        return found;
    for (const Cats::Absent& absent : master_.cats().absent())
        if (absent.cat.name == name || absent.cat.program == name) {
            reply(ControlServer::refusal(
                fmt::format("'{}' has no member now: {}", printable(absent.cat.name),
                            absent.asked ? "supervisord has no program of " + printable(absent.cat.program)
                                         : "supervisord has not answered yet")));
            return {};
        }
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

ControlServer::Text Control::state() {
    if (!*state_ || Clock::now() - state_at_ >= kStateAge) {
        *state_ = std::make_shared<const std::string>(
            "{\"ok\": true, \"state\": " + state_json(master_.view()) + "}\n");
        state_at_ = Clock::now();
    }
    return *state_;
}

std::function<void()> Control::on_change() const {
    return [state = state_] {
        state->reset();
    };
}

}  // namespace healthcheckd::master
