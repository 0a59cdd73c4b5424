#include "master/config/reading/checks.h"

#include "common/config/texts.h"
#include "common/config/values.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

void require(const SectionDraft& draft, std::string_view key, Complaints& complaints) {
    if (!draft.has(key))
        complaints.error(draft.place, draft.path_of(key), "is missing");
}

// Keys that belong to other types.
void check_effect(const SectionDraft& draft, const CatConfig& cat, Complaints& complaints) {
    for (const GivenKey& given : draft.given)
        if (!given.has_effect)
            complaints.warning(given.place, draft.path_of(given.key->name),
                               "has no effect on type " + std::string(to_string(cat.type)));
}

void check_pid(const SectionDraft& draft, const CatConfig& cat, Complaints& complaints) {
    if (draft.spoilt("pidGet") || cat.pid_get == PidGet::supervisor)
        return;
    const Place place = draft.place_of("pidGet");
    const std::string way(to_string(cat.pid_get));
    if (cat.type->counts_restarts)
        complaints.error(place, draft.path_of("pidGet"),
                         "must be supervisor for type restart: only supervisord counts restarts");
    else if (cat.type->measures_process && cat.whole_machine())
        complaints.error(place, draft.path_of("pidGet"),
                         "must be supervisor for program 'system', which is no process");
    else if (cat.type->measures_process && cat.pid_get == PidGet::file && !draft.has("pidFile"))
        complaints.error(place, draft.path_of("pidFile"), "is missing: pidGet is file");
}

void check_whole_machine(const SectionDraft& draft, CatConfig& cat, Complaints& complaints) {
    if (!cat.whole_machine())
        return;
    if (!cat.type->measures_process) {
        complaints.error(draft.place_of("program"), draft.path_of("program"),
                         "'system' is the whole machine and fits only the types mem and cpu");
        return;
    }
    if (!draft.has("action")) {
        cat.action = ActionSet{.email = true};
        return;
    }
    for (const auto& [set, name] : {std::pair{cat.action.restart, "restart"}, {cat.action.kill, "kill"}})
        if (set && !draft.spoilt("action"))
            complaints.error(draft.place_of("action"), draft.path_of("action"),
                             std::string(name) +
                                 " is impossible: program 'system' is the whole machine, no program");
}

void check_action(const SectionDraft& draft, const CatConfig& cat, Complaints& complaints) {
    if (draft.spoilt("action"))
        return;
    const Place place = draft.place_of("action");
    const MainAction main = main_action(cat.action);
    const int count = cat.action.restart + cat.action.exec + cat.action.kill;
    if (count > 1)
        complaints.warning(place, draft.path_of("action"),
                           "only " + std::string(to_string(main)) +
                               " runs: of restart, exec and kill the first in this order does");
    if (main == MainAction::exec && !draft.has("execCmd"))
        complaints.error(place, draft.path_of("execCmd"), "is missing: action is exec");
    if (cat.send_resolved && !cat.action.tells())
        complaints.warning(draft.place_of("sendResolved"), draft.path_of("sendResolved"),
                           "has no effect: action has neither email nor webhook");
}

// supervisord tells a program its own names (supervisord's manual, "Subprocess Environment").
std::string name_in_environment(const char* variable) {
    const char* text = std::getenv(variable);
    return text == nullptr ? "" : text;
}

// Does the name alone say that it is healthcheckd's own program? Its process is looked at when it acts.
bool names_itself(const std::string& program) {
    const std::string group = name_in_environment("SUPERVISOR_GROUP_NAME");
    const std::string own = name_in_environment("SUPERVISOR_PROCESS_NAME");
    if (!own.empty() &&
        (program == group + ":" + own || program == group + ":*" || (program == own && group == own)))
        return true;
    return program == "healthcheckd" || program.starts_with("healthcheckd:");
}

void check_own_program(const SectionDraft& draft, const CatConfig& cat, Complaints& complaints) {
    const MainAction action = main_action(cat.action);
    if (!draft.spoilt("action") && (action == MainAction::restart || action == MainAction::kill) &&
        names_itself(cat.program))
        complaints.warning(
            draft.place_of("action"), draft.path_of("action"),
            fmt::format("{} will be refused for healthcheckd itself, which would not come back; "
                        "use email, webhook or exec",
                        to_string(action)));
}

// supervisord on another machine tells pids of that machine.
void check_remote(const SectionDraft& draft, const Config& config, const CatConfig& cat,
                  Complaints& complaints) {
    if (!is_remote_url(config.supervisord_url) || cat.whole_machine())
        return;
    if (cat.type->measures_process)
        complaints.error(draft.place_of("type"), draft.path_of("type"),
                         std::string(to_string(cat.type)) +
                             " is impossible: supervisord runs on another machine (config.supervisordUrl), "
                             "whose pids mean nothing here");
    if (main_action(cat.action) == MainAction::kill && !draft.spoilt("action"))
        complaints.error(draft.place_of("action"), draft.path_of("action"),
                         "kill is impossible: supervisord runs on another machine (config.supervisordUrl), "
                         "whose pids mean nothing here");
}

// What most people mean by a webhook of this name.
WebhookFormat usual_format(const std::string& name) {
    if (name == "wechat" || name == "wecom")
        return WebhookFormat::wecom;
    if (name == "dingding" || name == "dingtalk")
        return WebhookFormat::dingtalk;
    if (name == "feishu")
        return WebhookFormat::feishu;
    return name == "slack" ? WebhookFormat::slack : WebhookFormat::json;
}

// Actions that cannot tell because the section for it is missing: one warning for all.
class Skipped {
public:
    void add(const SectionDraft& draft) {
        first_ = first_ == nullptr ? &draft : first_;
        ++count_;
    }
    void warn(const std::string& what, const std::string& section, Complaints& complaints) const {
        if (first_ == nullptr)
            return;
        std::string text = what + " is skipped";
        if (count_ > 1)
            text += ", here and in " + std::to_string(count_ - 1) + " more";
        complaints.warning(first_->place_of("action"), first_->path_of("action"),
                           text + ": there is no " + section);
    }

private:
    const SectionDraft* first_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace

void finish_connection(const SectionDraft& draft, Complaints& complaints) {
    const bool user = draft.has("supervisordUser");
    const bool pass = draft.has("supervisordPass");
    if (user && !pass)
        complaints.warning(draft.place_of("supervisordUser"), draft.path_of("supervisordUser"),
                           "is given without supervisordPass");
    if (pass && !user)
        complaints.warning(draft.place_of("supervisordPass"), draft.path_of("supervisordPass"),
                           "is given without supervisordUser");
}

void finish_mail(const SectionDraft& draft, MailConfig& mail, Complaints& complaints) {
    require(draft, "host", complaints);
    require(draft, "to_list", complaints);
    // Other ports get implicit TLS as 465 does: nothing goes out in the clear unless the file says so.
    if (!draft.has("tls"))
        mail.tls = mail.port == 587  ? MailTls::starttls
                   : mail.port == 25 ? MailTls::opportunistic
                                     : MailTls::implicit;
    if (draft.has("pass") && !draft.has("user"))
        complaints.warning(draft.place_of("pass"), draft.path_of("pass"),
                           "has no effect: without user there is no login");
    if (draft.has("from") || draft.spoilt("user"))
        return;
    if (!draft.has("user"))
        complaints.error(draft.place, draft.path_of("from"),
                         "is missing: give the sender's address, or user, from which it is taken");
    else if (!check_address(mail.user))
        complaints.error(draft.place_of("user"), draft.path_of("from"),
                         "is missing: " + in_quotes(mail.user) +
                             " (user) is no mail address that could be the sender");
    else
        mail.from = mail.user;
}

void finish_cat(const SectionDraft& draft, const Config& config, CatConfig& cat, Complaints& complaints) {
    if (!draft.has("program")) {
        cat.program = cat.name;
        complaints.warning(draft.place, draft.path_of("program"),
                           "is missing: the cat's name, " + in_quotes(cat.name) +
                               ", is taken for the program's");
    }
    if (draft.spoilt("type"))
        return;
    check_effect(draft, cat, complaints);
    check_pid(draft, cat, complaints);
    check_whole_machine(draft, cat, complaints);
    check_action(draft, cat, complaints);
    check_remote(draft, config, cat, complaints);
    check_own_program(draft, cat, complaints);
    if (cat.type->finish != nullptr)
        cat.type->finish(draft, cat, complaints);
    cat.dry_run = cat.dry_run || config.dry_run;
}

void finish_webhook(const SectionDraft& draft, WebhookConfig& webhook, Complaints& complaints) {
    require(draft, "url", complaints);
    if (!draft.has("format"))
        webhook.format = usual_format(webhook.name);
    const bool signs = webhook.format != WebhookFormat::slack && webhook.format != WebhookFormat::wecom;
    if (draft.has("secret") && !signs && !draft.spoilt("format"))
        complaints.warning(draft.place_of("secret"), draft.path_of("secret"),
                           "has no effect: " + std::string(to_string(webhook.format)) +
                               " knows no signature, its key is part of the url");
}

void check_channels_are_there(const std::vector<SectionDraft>& drafts, const Config& config,
                              Complaints& complaints) {
    Skipped email, webhooks;
    std::map<std::string, Skipped> chats;
    std::vector<std::string_view> known;
    for (const WebhookConfig& webhook : config.webhooks)
        known.push_back(webhook.name);
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        const ActionSet& action = config.cats[i].action;
        if (drafts[i].spoilt("action"))
            continue;
        if (action.email && !config.mail)
            email.add(drafts[i]);
        if (action.webhook && known.empty())
            webhooks.add(drafts[i]);
        for (const std::string& name : action.webhooks) {
            if (std::ranges::find(known, name) != known.end())
                continue;
            if (is_chat_name(name))
                chats[name].add(drafts[i]);
            else
                complaints.error(drafts[i].place_of("action"), drafts[i].path_of("action"),
                                 "there is no config.webhooks." + name + did_you_mean(name, known));
        }
    }
    email.warn("email", "config.mail", complaints);
    webhooks.warn("webhook", "config.webhooks", complaints);
    for (const auto& [name, skipped] : chats)
        skipped.warn(name, "config.webhooks." + name, complaints);
}

}  // namespace healthcheckd::master
