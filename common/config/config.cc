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

std::string_view to_string(MailTls tls) {
    switch (tls) {
    case MailTls::implicit:
        return "implicit";
    case MailTls::starttls:
        return "starttls";
    case MailTls::opportunistic:
        return "opportunistic";
    case MailTls::none:
        return "none";
    }
    __builtin_unreachable();
}

std::string_view to_string(WebhookFormat format) {
    switch (format) {
    case WebhookFormat::json:
        return "json";
    case WebhookFormat::slack:
        return "slack";
    case WebhookFormat::wecom:
        return "wecom";
    case WebhookFormat::dingtalk:
        return "dingtalk";
    case WebhookFormat::feishu:
        return "feishu";
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

std::string_view to_string(MainAction action) {
    switch (action) {
    case MainAction::none:
        return "none";
    case MainAction::restart:
        return "restart";
    case MainAction::exec:
        return "exec";
    case MainAction::kill:
        return "kill";
    }
    __builtin_unreachable();
}

MainAction main_action_from(std::string_view text) {
    for (const MainAction action : {MainAction::restart, MainAction::exec, MainAction::kill})
        if (to_string(action) == text)
            return action;
    return MainAction::none;
}

MainAction main_action(const ActionSet& actions) {
    if (actions.restart)
        return MainAction::restart;
    if (actions.exec)
        return MainAction::exec;
    return actions.kill ? MainAction::kill : MainAction::none;
}

CatConfig::CatConfig() : CatConfig(*check_types().front()) {}

void CatConfig::set_type(const CheckType& other) {
    type = &other;
    own_ = AnySettings(other.make_settings != nullptr ? other.make_settings() : nullptr);
}

CatConfig CatConfig::without_secrets() const {
    CatConfig copy = *this;
    copy.exec_cmd = {};
    copy.own_.drop_secrets();
    return copy;
}

std::string CatConfig::measured_file() const {
    return measures_one_process() ? std::string(type->measured_file(*this)) : "";
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
