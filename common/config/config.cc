#include "common/config/config.h"

namespace healthcheckd {

std::string_view to_string(CheckType type) {
    switch (type) {
    case CheckType::http:
        return "http";
    case CheckType::tcp:
        return "tcp";
    case CheckType::mem:
        return "mem";
    case CheckType::cpu:
        return "cpu";
    case CheckType::restart:
        return "restart";
    }
    __builtin_unreachable();
}

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

std::string_view to_string(MemType type) {
    switch (type) {
    case MemType::rss:
        return "rss";
    case MemType::pss:
        return "pss";
    case MemType::uss:
        return "uss";
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

CatConfig CatConfig::without_secrets() const {
    CatConfig copy = *this;
    for (Secret* secret : {&copy.exec_cmd, &copy.json, &copy.headers, &copy.username, &copy.password})
        *secret = {};
    return copy;
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
