#include "master/config/reading/checks.h"

#include "common/config/texts.h"
#include "common/config/values.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

// Warns of keys that do not apply to the cat's type.
void check_effect(const SectionDraft& draft, const CatConfig& cat, Diagnostics& diagnostics) {
    for (const GivenKey& given : draft.given)
        if (!given.has_effect)
            diagnostics.warning(given.place, draft.path_of(given.key->name),
                                "has no effect on type " + std::string(to_string(cat.type)));
}

void check_pid(const SectionDraft& draft, const CatConfig& cat, Diagnostics& diagnostics) {
    if (draft.invalid("pidGet") || cat.pid_get == PidGet::supervisor)
        return;
    const SourceLocation place = draft.place_of("pidGet");
    const std::string way(to_string(cat.pid_get));
    if (cat.type->counts_restarts)
        diagnostics.error(place, draft.path_of("pidGet"),
                          "must be supervisor for type restart: only supervisord counts restarts");
    else if (cat.type->measures_process && cat.whole_machine())
        diagnostics.error(place, draft.path_of("pidGet"),
                          "must be supervisor for program 'system', which is no process");
    else if (cat.type->measures_process && cat.pid_get == PidGet::file && !draft.has("pidFile"))
        diagnostics.error(place, draft.path_of("pidFile"), "is missing: pidGet is file");
}

void check_whole_machine(const SectionDraft& draft, CatConfig& cat, Diagnostics& diagnostics) {
    if (!cat.whole_machine())
        return;
    if (!cat.type->measures_process) {
        diagnostics.error(draft.place_of("program"), draft.path_of("program"),
                          "'system' is the whole machine and fits only the types mem and cpu");
        return;
    }
    if (!draft.has("action")) {
        cat.action.acts.clear();
        return;
    }
    for (const ActionType* each : cat.action.acts)
        if (each->stops_program && !draft.invalid("action"))
            diagnostics.error(draft.place_of("action"), draft.path_of("action"),
                              std::string(each->name) +
                                  " is impossible: program 'system' is the whole machine, no program");
}

// Returns "restart, exec and kill".
std::string all_by_rank() {
    std::vector<const ActionType*> all(action_types().begin(), action_types().end());
    std::ranges::sort(all, {}, &ActionType::rank);
    std::string text;
    for (const ActionType* each : all)
        text.append(each == all.front() ? "" : each == all.back() ? " and " : ", ").append(each->name);
    return text;
}

void check_action(const SectionDraft& draft, const CatConfig& cat, Diagnostics& diagnostics) {
    if (draft.invalid("action"))
        return;
    const SourceLocation place = draft.place_of("action");
    const ActionType* main = cat.action.main();
    if (cat.action.acts.size() > 1)
        diagnostics.warning(
            place, draft.path_of("action"),
            fmt::format("only {} runs: of {} the first in this order does", main->name, all_by_rank()));
    if (main != nullptr && main->check != nullptr)
        main->check(draft, cat, diagnostics);
    if (cat.send_resolved && cat.action.tells.empty()) {
        std::string words;
        for (const ChannelKind* kind : channel_kinds())
            words.append(words.empty() ? "" : " nor ").append(kind->word);
        diagnostics.warning(draft.place_of("sendResolved"), draft.path_of("sendResolved"),
                            "has no effect: action has neither " + words);
    }
}

// Returns a name from the environment: supervisord passes a program its own names (supervisord's manual,
// "Subprocess Environment").
std::string name_in_environment(const char* variable) {
    const char* text = std::getenv(variable);
    return text == nullptr ? "" : text;
}

// Returns whether the name alone shows that it is healthcheckd's own program. An action also checks the
// process.
bool names_itself(const std::string& program) {
    const std::string group = name_in_environment("SUPERVISOR_GROUP_NAME");
    const std::string own = name_in_environment("SUPERVISOR_PROCESS_NAME");
    if (!own.empty() &&
        (program == group + ":" + own || program == group + ":*" || (program == own && group == own)))
        return true;
    return program == "healthcheckd" || program.starts_with("healthcheckd:");
}

void check_own_program(const SectionDraft& draft, const CatConfig& cat, Diagnostics& diagnostics) {
    const ActionType* action = cat.action.main();
    if (!draft.invalid("action") && action != nullptr && action->stops_program && names_itself(cat.program))
        diagnostics.warning(
            draft.place_of("action"), draft.path_of("action"),
            fmt::format("{} will be refused for healthcheckd itself, which would not come back; "
                        "use email, webhook or exec",
                        to_string(action)));
}

// Checks the actions of a cat whose supervisord is on another machine, where its pids are.
void check_remote(const SectionDraft& draft, const Config& config, const CatConfig& cat,
                  Diagnostics& diagnostics) {
    if (!is_remote_url(config.supervisord_url) || cat.whole_machine())
        return;
    if (cat.type->measures_process)
        diagnostics.error(draft.place_of("type"), draft.path_of("type"),
                          std::string(to_string(cat.type)) +
                              " is impossible: supervisord runs on another machine (config.supervisordUrl), "
                              "whose pids mean nothing here");
    const ActionType* action = cat.action.main();
    if (action != nullptr && action->by_pid && !draft.invalid("action"))
        diagnostics.error(draft.place_of("action"), draft.path_of("action"),
                          std::string(action->name) +
                              " is impossible: supervisord runs on another machine (config.supervisordUrl), "
                              "whose pids mean nothing here");
}

// Collects the actions whose channels are not configured, for a single warning.
class Skipped {
public:
    void add(const SectionDraft& draft, std::string section) {
        first_ = first_ == nullptr ? &draft : first_;
        section_ = std::move(section);
        ++count_;
    }
    void warn(const std::string& what, Diagnostics& diagnostics) const {
        std::string text = what + " is skipped";
        if (count_ > 1)
            text += ", here and in " + std::to_string(count_ - 1) + " more";
        diagnostics.warning(first_->place_of("action"), first_->path_of("action"),
                            text + ": there is no " + section_);
    }

private:
    const SectionDraft* first_ = nullptr;
    std::string section_;
    std::size_t count_ = 0;
};

// Handles `audience`, a recipient in a cat's action for which no channel is configured. Words for all
// channels of a kind, and the predecessor's names, are skipped with a warning; any other name is an error.
void miss(const std::string& audience, const SectionDraft& draft, const Config& config,
          std::map<std::string, Skipped>& skipped, Diagnostics& diagnostics) {
    const ChannelKind* kind = kind_of_channel(audience);
    if (kind == nullptr || !kind->named) {
        for (const ChannelKind* each : channel_kinds())
            if (each->word == audience)
                skipped[audience].add(draft, "config." + std::string(each->section));
        return;
    }
    const std::string name = audience.substr(kind->label.size() + 1);
    const std::string place = "config." + std::string(kind->section) + "." + name;
    if (std::ranges::find(kind->aliases, name) != kind->aliases.end())
        return skipped[name].add(draft, place);
    std::vector<std::string_view> known;
    for (const ChannelConfig& channel : config.channels)
        if (channel.kind == kind)
            known.push_back(channel.name);
    diagnostics.error(draft.place_of("action"), draft.path_of("action"),
                      "there is no " + place + did_you_mean(name, known));
}

}  // namespace

void finish_connection(const SectionDraft& draft, Diagnostics& diagnostics) {
    const bool user = draft.has("supervisordUser");
    const bool pass = draft.has("supervisordPass");
    if (user && !pass)
        diagnostics.warning(draft.place_of("supervisordUser"), draft.path_of("supervisordUser"),
                            "is given without supervisordPass");
    if (pass && !user)
        diagnostics.warning(draft.place_of("supervisordPass"), draft.path_of("supervisordPass"),
                            "is given without supervisordUser");
}

void finish_cat(const SectionDraft& draft, const Config& config, CatConfig& cat, Diagnostics& diagnostics) {
    if (!draft.has("program")) {
        cat.program = cat.name;
        diagnostics.warning(draft.place, draft.path_of("program"),
                            "is missing: the cat's name, " + in_quotes(cat.name) +
                                ", is taken for the program's");
    }
    if (draft.invalid("type"))
        return;
    check_effect(draft, cat, diagnostics);
    check_pid(draft, cat, diagnostics);
    check_whole_machine(draft, cat, diagnostics);
    check_action(draft, cat, diagnostics);
    check_remote(draft, config, cat, diagnostics);
    check_own_program(draft, cat, diagnostics);
    if (cat.type->finish != nullptr)
        cat.type->finish(draft, cat, diagnostics);
    cat.dry_run = cat.dry_run || config.dry_run;
}

void check_channels_are_there(const std::vector<SectionDraft>& drafts, const Config& config,
                              Diagnostics& diagnostics) {
    std::map<std::string, Skipped> skipped;  // by recipient
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        if (drafts[i].invalid("action"))
            continue;
        for (const std::string& audience : config.cats[i].action.tells)
            if (!config.tells_anybody(audience))
                miss(audience, drafts[i], config, skipped, diagnostics);
    }
    for (const auto& [what, skip] : skipped)
        skip.warn(what, diagnostics);
}

}  // namespace healthcheckd::master
