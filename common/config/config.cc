#include "common/config/config.h"

#include <algorithm>

namespace healthcheckd {

std::string_view to_string(PidGet way) {
    switch (way) {
    case PidGet::supervisor:
        return "supervisor";
    case PidGet::name:
        return "name";
    case PidGet::file:
        return "file";
    }
    __builtin_unreachable();
}

std::string_view to_string(SandboxLevel level) {
    switch (level) {
    case SandboxLevel::strict:
        return "strict";
    case SandboxLevel::log:
        return "log";
    case SandboxLevel::off:
        return "off";
    }
    __builtin_unreachable();
}

std::string_view to_string(LogFormat format) {
    switch (format) {
    case LogFormat::text:
        return "text";
    case LogFormat::json:
        return "json";
    }
    __builtin_unreachable();
}

const ActionType* ActionSet::main() const {
    const auto first = std::ranges::min_element(acts, {}, &ActionType::rank);
    return first == acts.end() ? nullptr : *first;
}

ChannelConfig::ChannelConfig(const ChannelKind& of, std::string called)
    : kind(&of), name(std::move(called)), settings(of.make_settings()) {}

std::string ChannelConfig::label() const {
    return std::string(kind->label) + (kind->named ? ":" + name : "");
}

CatConfig::CatConfig() : CatConfig(*check_types().front()) {}

CatConfig::CatConfig(const CheckType& of) {
    set_type(of);
    for (const ActionType* each : action_types())
        of_actions_.emplace_back(each->make_settings != nullptr ? each->make_settings() : nullptr);
    if (const ActionType* restart = find_action("restart"))
        action.acts = {restart};
    action.tells = {"email"};
}

void CatConfig::set_type(const CheckType& other) {
    type = &other;
    own_ = AnySettings(other.make_settings != nullptr ? other.make_settings() : nullptr);
}

const AnySettings& CatConfig::settings_of(const ActionType& of) const {
    const auto all = action_types();
    return of_actions_.at(static_cast<std::size_t>(std::ranges::find(all, &of) - all.begin()));
}
AnySettings& CatConfig::settings_of(const ActionType& of) {
    return const_cast<AnySettings&>(std::as_const(*this).settings_of(of));
}

CatConfig CatConfig::without_secrets() const {
    CatConfig copy = *this;
    copy.own_.drop_secrets();
    for (AnySettings& each : copy.of_actions_)
        each.drop_secrets();
    return copy;
}

std::string CatConfig::measured_file() const {
    return measures_one_process() ? std::string(type->measured_file(*this)) : "";
}

const ChannelConfig* Config::channel(std::string_view label) const {
    const auto found = std::ranges::find(channels, label, &ChannelConfig::label);
    return found == channels.end() ? nullptr : &*found;
}

bool Config::tells_anybody(const std::string& audience) const {
    return !channels_of(*this, {.tells = {audience}}).empty();
}

std::vector<std::string> channels_of(const Config& config, const ActionSet& action) {
    std::vector<std::string> labels;
    for (const ChannelConfig& each : config.channels)
        if (std::ranges::count(action.tells, each.kind->word) > 0 ||
            (each.kind->named && std::ranges::count(action.tells, each.label()) > 0))
            labels.push_back(each.label());
    return labels;
}

const ActionType* find_action(std::string_view name) {
    const auto all = action_types();
    const auto found = std::ranges::find(all, name, &ActionType::name);
    return found == all.end() ? nullptr : *found;
}

const ChannelKind* kind_of_channel(std::string_view label) {
    const auto all = channel_kinds();
    const auto found = std::ranges::find_if(all, [&](const ChannelKind* kind) {
        return kind->named
                   ? label.starts_with(kind->label) && label.substr(kind->label.size()).starts_with(':')
                   : label == kind->label;
    });
    return found == all.end() ? nullptr : *found;
}

const CheckType* find_check_type(std::string_view name) {
    const auto all = check_types();
    const auto found = std::ranges::find(all, name, &CheckType::name);
    return found == all.end() ? nullptr : *found;
}

std::string Diagnostic::format() const {
    std::string out = file;
    if (line > 0)
        out += ':' + std::to_string(line) + ':' + std::to_string(column);
    out += severity == Severity::error ? ": error: " : ": warning: ";
    if (!path.empty())
        out += path + ": ";
    return out + text;
}

}  // namespace healthcheckd
