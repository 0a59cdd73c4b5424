#include "master/config/keys.h"

#include "common/config/accessors.h"
#include "common/config/json.h"
#include "common/config/texts.h"
#include "common/config/values.h"
#include "common/text/template.h"
#include "master/config/child_accounts.h"

#include <algorithm>
#include <chrono>

namespace healthcheckd::master {

namespace {

using namespace std::chrono_literals;

// ---- checks and values that only one key has

Result<void> check_command(std::string_view text) {
    return check_script(text, 32 * 1024);
}

// A number, also of a name: the other processes need not know how users are looked up.
Result<std::string> canonical_user(std::string_view text) {
    const Result<uid_t> user = parse_user(text);
    return user ? Result<std::string>(std::to_string(*user)) : user.error();
}
// A cat keeps the settings of its type when it is given that type again.
Result<void> set_type(const KeyTarget& target, std::string_view text) {
    std::vector<std::string_view> known;
    for (const CheckType* type : check_types())
        known.push_back(type->name);
    const CheckType* type = find_check_type(lower(text));
    if (type == nullptr)
        return unknown_value(text, known);
    if (type != target.cat->type)
        target.cat->set_type(*type);
    return {};
}
std::string_view get_type(const KeySource& source, std::string&) {
    return source.cat->type->name;
}

Result<void> set_action(const KeyTarget& target, std::string_view text) {
    return store<&CatConfig::action>(target, parse_actions(text));
}
std::string_view get_action(const KeySource& source, std::string& buffer) {
    return buffer = actions_text(source.cat->action);
}

Result<std::string> canonical_url(std::string_view text) {
    return with_lower_scheme(text);
}

Result<void> set_uids(const KeyTarget& target, std::string_view text) {
    return store<&Config::worker_uids>(target, parse_uid_range(text));
}
std::string_view get_uids(const KeySource& source, std::string& buffer) {
    return buffer = uid_range_text(source.config->worker_uids);
}

constexpr std::size_t kMostHosts = 10;
constexpr std::size_t kMostAddresses = 100;

// An hour at most: what waits longer is no digest.
Result<void> set_digest(const KeyTarget& target, std::string_view text) {
    return store<&NoticeLimits::digest>(target, parse_seconds(text, 0ms, 1h));
}

Result<void> check_subject(std::string_view text) {
    const Result<void> line = check_line(text, 500);
    return line ? check_template(text) : line;
}
Result<void> check_body(std::string_view text) {
    const Result<void> script = check_script(text, 16 * 1024);
    return script ? check_template(text) : script;
}

// ---- the table

bool has_process(const CheckType& type) {
    return type.has_process;
}
bool asks_server(const CheckType& type) {
    return type.asks_server;
}

constexpr auto kKept = Sensitivity::kept;
constexpr auto kPassword = Sensitivity::password;

constexpr unsigned kNobody = Key::kNobody, kWorkers = Key::kWorkers, kLink = Key::kLink,
                   kMailer = Key::kMailer, kReader = Key::kProcessReader, kNextStart = Key::kNextStart;

using C = CatConfig;
using M = MailConfig;
using W = WebhookConfig;
using N = NoticeLimits;

// clang-format off
constexpr Key kConfigKeys[] = {
    {.name = "supervisordUrl", .renews = kNextStart, .canonical = canonical_url,
     .set = set_text<&Config::supervisord_url, check_supervisord_url>, .get = get_text<&Config::supervisord_url>},
    {.name = "supervisordUser", .sensitivity = kKept, .renews = kLink,
     .set = set_secret<&Config::supervisord_user, check_login>, .get = get_secret<&Config::supervisord_user>},
    {.name = "supervisordPass", .sensitivity = kPassword, .renews = kLink,
     .set = set_secret<&Config::supervisord_pass, line_of<1024>>, .get = get_secret<&Config::supervisord_pass>},
    {.name = "supervisordOwner", .renews = kLink, .canonical = canonical_user,
     .set = set_user<&Config::supervisord_owner>, .get = get_user<&Config::supervisord_owner>},
    {.name = "logDir", .renews = kWorkers,
     .set = set_text<&Config::log_dir, check_absolute_path>, .get = get_text<&Config::log_dir>},
    {.name = "logMaxBytes", .renews = kWorkers,
     .set = set_whole<&Config::log_max_bytes, 10'000, 1'000'000'000'000>, .get = get_whole<&Config::log_max_bytes>},
    {.name = "logBackups", .renews = kWorkers,
     .set = set_whole<&Config::log_backups, 0, 1000>, .get = get_whole<&Config::log_backups>},
    {.name = "logFormat", .renews = kWorkers,
     .set = set_choice<&Config::log_format, LogFormat::text, LogFormat::json>, .get = get_choice<&Config::log_format>},
    {.name = "stateDir", .renews = kNextStart,
     .set = set_text<&Config::state_dir, check_absolute_path>, .get = get_text<&Config::state_dir>},
    {.name = "socket", .renews = kNextStart,
     .set = set_text<&Config::socket, check_socket_path>, .get = get_text<&Config::socket>},
    {.name = "dryRun", .renews = kNobody,
     .set = set_flag<&Config::dry_run>, .get = get_flag<&Config::dry_run>},
    {.name = "sandbox", .renews = kWorkers | kLink | kMailer | kReader,
     .set = set_choice<&Config::sandbox, SandboxLevel::strict, SandboxLevel::log, SandboxLevel::off>, .get = get_choice<&Config::sandbox>},
    {.name = "workerUids", .renews = kWorkers | kLink | kReader,
     .set = set_uids, .get = get_uids},
};

constexpr Key kMailKeys[] = {
    {.name = "host", .shape = Shape::list, .required = true,
     .set = set_texts<&M::hosts, parse_host, kMostHosts>, .get = get_texts<&M::hosts>},
    {.name = "port",
     .set = set_whole<&M::port, 1, 65535>, .get = get_whole<&M::port>},
    {.name = "user",
     .set = set_text<&M::user, line_of<255>>, .get = get_text<&M::user>},
    {.name = "pass", .sensitivity = kPassword,
     .set = set_secret<&M::pass, line_of<1024>>, .get = get_secret<&M::pass>},
    {.name = "to_list", .shape = Shape::list, .required = true,
     .set = set_texts<&M::to_list, entry_address, kMostAddresses>, .get = get_texts<&M::to_list>},
    {.name = "from", .canonical = entry_address,
     .set = set_text<&M::from, check_address>, .get = get_text<&M::from>},
    {.name = "helo",
     .set = set_text<&M::helo, check_helo>, .get = get_text<&M::helo>},
    {.name = "tls",
     .set = set_choice<&M::tls, MailTls::implicit, MailTls::starttls, MailTls::opportunistic, MailTls::none>, .get = get_choice<&M::tls>},
    {.name = "verify",
     .set = set_flag<&M::verify>, .get = get_flag<&M::verify>},
    {.name = "caFile",
     .set = set_text<&M::ca_file, check_absolute_path>, .get = get_text<&M::ca_file>},
    {.name = "reminderSeconds",
     .set = set_seconds<&N::reminder, 0>, .get = get_seconds<&N::reminder>},
    {.name = "digestSeconds",
     .set = set_digest, .get = get_seconds<&N::digest>},
    {.name = "maxPerHour",
     .set = set_whole<&N::most_per_hour, 1, 3600>, .get = get_whole<&N::most_per_hour>},
    {.name = "subject",
     .set = set_text<&M::subject, check_subject>, .get = get_text<&M::subject>},
    {.name = "body",
     .set = set_text<&M::body, check_body>, .get = get_text<&M::body>},
};

constexpr Key kWebhookKeys[] = {
    {.name = "url", .required = true, .sensitivity = Sensitivity::url, .canonical = canonical_url,
     .set = set_secret<&W::url, check_webhook_url>, .get = get_secret<&W::url>},
    {.name = "format",
     .set = set_choice<&W::format, WebhookFormat::json, WebhookFormat::slack, WebhookFormat::wecom, WebhookFormat::dingtalk, WebhookFormat::feishu>, .get = get_choice<&W::format>},
    {.name = "secret", .sensitivity = kPassword,
     .set = set_secret<&W::secret, line_of<1024>>, .get = get_secret<&W::secret>},
    {.name = "headers", .shape = Shape::headers, .sensitivity = Sensitivity::masked, .canonical = checked_call_headers,
     .set = set_secret<&W::headers, check_json_size>, .get = get_secret<&W::headers>},
    {.name = "verify",
     .set = set_flag<&W::verify>, .get = get_flag<&W::verify>},
    {.name = "caFile",
     .set = set_text<&W::ca_file, check_absolute_path>, .get = get_text<&W::ca_file>},
};

// Of cats of all types: those that come before the keys of the type, and those after.
constexpr Key kFirstCatKeys[] = {
    {.name = "program",
     .set = set_text<&C::program, check_program>, .get = get_text<&C::program>},
    {.name = "type",
     .set = set_type, .get = get_type},
};
constexpr Key kCatKeys[] = {
    {.name = "pidGet", .concerns = has_process,
     .set = set_choice<&C::pid_get, PidGet::supervisor, PidGet::name, PidGet::file>, .get = get_choice<&C::pid_get>},
    {.name = "pidFile", .concerns = has_process,
     .set = set_text<&C::pid_file, check_absolute_path>, .get = get_text<&C::pid_file>},
    {.name = "pidUser", .concerns = has_process, .canonical = canonical_user,
     .set = set_user<&C::pid_user>, .get = get_user<&C::pid_user>},
    {.name = "periodSeconds",
     .set = set_seconds<&C::period, 100>, .get = get_seconds<&C::period>},
    {.name = "initialDelaySeconds",
     .set = set_seconds<&C::initial_delay, 0>, .get = get_seconds<&C::initial_delay>},
    {.name = "timeoutSeconds", .concerns = asks_server,
     .set = set_seconds<&C::timeout, 100>, .get = get_seconds<&C::timeout>},
    {.name = "failureThreshold",
     .set = set_whole<&C::failure_threshold, 1, 1'000'000>, .get = get_whole<&C::failure_threshold>},
    {.name = "successThreshold",
     .set = set_whole<&C::success_threshold, 1, 1'000'000>, .get = get_whole<&C::success_threshold>},
    {.name = "action", .shape = Shape::list,
     .set = set_action, .get = get_action},
    {.name = "execCmd", .sensitivity = Sensitivity::command,
     .set = set_action_secret<&C::exec_cmd, check_command>, .get = get_secret<&C::exec_cmd>},
    {.name = "execTimeoutSeconds",
     .set = set_seconds<&C::exec_timeout, 100>, .get = get_seconds<&C::exec_timeout>},
    {.name = "sendResolved",
     .set = set_flag<&C::send_resolved>, .get = get_flag<&C::send_resolved>},
    {.name = "enabled",
     .set = set_flag<&C::enabled>, .get = get_flag<&C::enabled>},
    {.name = "dryRun",
     .set = set_flag<&C::dry_run>, .get = get_flag<&C::dry_run>},
};
// clang-format on

static_assert(std::ranges::none_of(kConfigKeys, [](const Key& key) { return key.renews == Key::kNotSaid; }),
              "a key of `config` does not say what a reload renews when its value is another one");

bool is_called(const Key& key, std::string_view name) {
    return key.name == name || (!key.alias.empty() && key.alias == name);
}

}  // namespace

bool KnownKey::concerns(const CheckType& of) const {
    return type != nullptr ? type == &of : key->concerns == nullptr || key->concerns(of);
}

std::string KnownKey::default_text() const {
    if (key->required)
        return "required";
    Config config;
    config.mail.emplace();
    const CatConfig cat(type != nullptr ? *type : *check_types().front());
    const WebhookConfig webhook;
    std::string buffer;
    const std::string_view text = key->get({&config, &cat, &webhook}, buffer);
    return text.empty() ? "none" : std::string(text);
}

std::span<const Key> keys_of(Section section) {
    switch (section) {
    case Section::config:
        return kConfigKeys;
    case Section::mail:
        return kMailKeys;
    case Section::webhook:
        return kWebhookKeys;
    case Section::cat:
        break;
    }
    return {};
}

std::vector<KnownKey> all_keys() {
    std::vector<KnownKey> all;
    const auto add = [&](Section section, std::span<const Key> keys, const CheckType* type = nullptr) {
        for (const Key& key : keys)
            all.push_back({section, &key, type});
    };
    for (const Section section : {Section::config, Section::mail, Section::webhook})
        add(section, keys_of(section));
    add(Section::cat, kFirstCatKeys);
    for (const CheckType* type : check_types())
        add(Section::cat, type->keys, type);
    add(Section::cat, kCatKeys);
    return all;
}

std::vector<const Key*> keys_of(const CatConfig& cat) {
    std::vector<const Key*> keys;
    for (const std::span<const Key> some :
         {std::span<const Key>(kFirstCatKeys), cat.type->keys, std::span<const Key>(kCatKeys)})
        for (const Key& key : some)
            if (key.concerns == nullptr || key.concerns(*cat.type))
                keys.push_back(&key);
    return keys;
}

KnownKey find_key(Section section, std::string_view name, const CheckType* type) {
    KnownKey found;
    for (const KnownKey& known : all_keys())
        if (known.section == section && is_called(*known.key, name) &&
            (found.key == nullptr || known.type == type))
            found = known;
    return found;
}

std::vector<std::string_view> key_names(Section section) {
    std::vector<std::string_view> names;
    const auto add = [&](std::string_view name) {
        if (std::ranges::find(names, name) == names.end())
            names.push_back(name);
    };
    for (const KnownKey& known : all_keys()) {
        if (known.section != section)
            continue;
        add(known.key->name);
        if (!known.key->alias.empty() && !known.key->alias_is_wrong)
            add(known.key->alias);
    }
    return names;
}

}  // namespace healthcheckd::master
