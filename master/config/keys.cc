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

// ---- checks and values of single keys

// Replaces a user name by its uid, so that other processes need not look users up.
Result<std::string> canonical_user(std::string_view text) {
    const Result<uid_t> user = parse_user(text);
    return user ? Result<std::string>(std::to_string(*user)) : user.error();
}
// Keeps the settings of the type when the cat gets the same type again.
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

// ---- the table

bool has_process(const CheckType& type) {
    return type.has_process;
}
bool asks_server(const CheckType& type) {
    return type.asks_server();
}

constexpr auto kKept = Sensitivity::kept;
constexpr auto kPassword = Sensitivity::password;

constexpr unsigned kNobody = Key::kNobody, kWorkers = Key::kWorkers, kLink = Key::kLink,
                   kMailer = Key::kMailer, kReader = Key::kProcessReader, kNextStart = Key::kNextStart;

using C = CatConfig;

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
    {.name = "dryRun", .renews = kNobody,  // each cat has it as its own key
     .set = set_flag<&Config::dry_run>, .get = get_flag<&Config::dry_run>},
    {.name = "sandbox", .renews = kWorkers | kLink | kMailer | kReader,
     .set = set_choice<&Config::sandbox, SandboxLevel::strict, SandboxLevel::log, SandboxLevel::off>, .get = get_choice<&Config::sandbox>},
    {.name = "workerUids", .renews = kWorkers | kLink | kReader,
     .set = set_uids, .get = get_uids},
};

// Keys of all cats: before the keys of the type, after them, and after the keys of the actions.
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
};
constexpr Key kLastCatKeys[] = {
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

std::vector<KnownKey> list_keys() {
    std::vector<KnownKey> all;
    for (const Key& key : kConfigKeys)
        all.push_back({Section::config, &key});
    for (const ChannelKind* kind : channel_kinds())
        for (const Key& key : kind->keys)
            all.push_back({Section::channel, &key, nullptr, kind});
    for (const Key& key : kFirstCatKeys)
        all.push_back({Section::cat, &key});
    for (const CheckType* type : check_types())
        for (const Key& key : type->keys)
            all.push_back({Section::cat, &key, type});
    for (const Key& key : kCatKeys)
        all.push_back({Section::cat, &key});
    for (const ActionType* action : action_types())
        for (const Key& key : action->keys)
            all.push_back({Section::cat, &key});
    for (const Key& key : kLastCatKeys)
        all.push_back({Section::cat, &key});
    return all;
}

}  // namespace

bool KnownKey::concerns(const CheckType& of) const {
    return type != nullptr ? type == &of : key->concerns == nullptr || key->concerns(of);
}

std::string KnownKey::default_text() const {
    if (key->required)
        return "required";
    const Config config;
    const CatConfig cat(type != nullptr ? *type : *check_types().front());
    std::optional<ChannelConfig> channel;
    if (kind != nullptr)
        channel.emplace(*kind);
    std::string buffer;
    const std::string_view text = key->get({&config, &cat, channel ? &*channel : nullptr}, buffer);
    return text.empty() ? "none" : std::string(text);
}

std::span<const Key> config_keys() {
    return kConfigKeys;
}

const std::vector<KnownKey>& all_keys() {
    static const std::vector<KnownKey> all = list_keys();
    return all;
}

std::vector<const Key*> keys_of(const CatConfig& cat) {
    std::vector<const Key*> keys;
    const auto add = [&](std::span<const Key> some) {
        for (const Key& key : some)
            if (key.concerns == nullptr || key.concerns(*cat.type))
                keys.push_back(&key);
    };
    add(kFirstCatKeys);
    add(cat.type->keys);
    add(kCatKeys);
    for (const ActionType* action : action_types())
        add(action->keys);
    add(kLastCatKeys);
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

KnownKey find_key(const ChannelKind& kind, std::string_view name) {
    for (const Key& key : kind.keys)
        if (is_called(key, name))
            return {Section::channel, &key, nullptr, &kind};
    return {};
}

std::vector<std::string_view> key_names(Section section, const ChannelKind* kind) {
    std::vector<std::string_view> names;
    const auto add = [&](std::string_view name) {
        if (std::ranges::find(names, name) == names.end())
            names.push_back(name);
    };
    for (const KnownKey& known : all_keys()) {
        if (known.section != section || known.kind != kind)
            continue;
        add(known.key->name);
        if (!known.key->alias.empty() && !known.key->alias_is_wrong)
            add(known.key->alias);
    }
    return names;
}

}  // namespace healthcheckd::master
