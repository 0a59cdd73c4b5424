#include "master/config/keys.h"

#include "common/text/template.h"
#include "master/config/accessors.h"
#include "master/config/child_accounts.h"
#include "master/config/json.h"
#include "master/config/texts.h"
#include "master/config/values.h"

#include <algorithm>
#include <chrono>

namespace healthcheckd::master {

namespace {

using namespace std::chrono_literals;

// ---- checks and values that only one key has

template <std::size_t Max> Result<void> line_of(std::string_view text) {
    return check_line(text, Max);
}

Result<void> check_command(std::string_view text) {
    return check_script(text, 32 * 1024);
}

// What checked_json and checked_headers let through; parsing again would copy secrets to the heap.
Result<void> check_json_size(std::string_view text) {
    if (text.empty() || text.size() > 32 * 1024)
        return Error{"must be 1 byte to 32 KB"};
    return {};
}

Result<void> set_max_cpu(const KeyTarget& target, std::string_view text) {
    if (text.ends_with('%'))
        text.remove_suffix(1);
    return store<&CatConfig::max_cpu_percent>(target, parse_decimal(text, 0.1, 1e6, " %"));
}

Result<void> set_max_mem(const KeyTarget& target, std::string_view text) {
    return store<&CatConfig::max_mem_mb>(target, parse_decimal(text, 0.1, 1e9, " MB"));
}

Result<std::string> canonical_method(std::string_view text) {
    for (const std::string_view name : {"GET", "POST", "HEAD"})
        if (lower(text) == lower(name))
            return std::string(name);
    return unknown_value(text, {"GET", "POST", "HEAD"});
}

Result<void> check_method(std::string_view text) {
    const Result<std::string> method = canonical_method(text);
    return method && *method == text ? Result<void>{} : Result<void>{Error{"unknown method"}};
}

// A number, also of a name: the other processes need not know how users are looked up.
Result<std::string> canonical_user(std::string_view text) {
    const Result<uid_t> user = parse_user(text);
    return user ? Result<std::string>(std::to_string(*user)) : user.error();
}
Result<void> set_pid_user(const KeyTarget& target, std::string_view text) {
    const Result<std::uint64_t> number = parse_whole(text, 0, kMaxUser);
    if (!number)
        return number.error();
    target.cat->pid_user = static_cast<uid_t>(*number);
    return {};
}
std::string_view get_pid_user(const KeySource& source, std::string& buffer) {
    return buffer = source.cat->pid_user ? std::to_string(*source.cat->pid_user) : "";
}

Result<void> set_action(const KeyTarget& target, std::string_view text) {
    return store<&CatConfig::action>(target, parse_actions(text));
}
std::string_view get_action(const KeySource& source, std::string& buffer) {
    return buffer = actions_text(source.cat->action);
}

Result<void> set_status(const KeyTarget& target, std::string_view text) {
    return store<&CatConfig::expect_status>(target, parse_status(text));
}
std::string_view get_status(const KeySource& source, std::string& buffer) {
    return buffer = status_text(source.cat->expect_status);
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

constexpr unsigned kHttp = type_bit(CheckType::http);
constexpr unsigned kTcp = type_bit(CheckType::tcp);
constexpr unsigned kMem = type_bit(CheckType::mem);
constexpr unsigned kCpu = type_bit(CheckType::cpu);
constexpr unsigned kRestart = type_bit(CheckType::restart);
constexpr unsigned kNet = kHttp | kTcp;
constexpr unsigned kByPid = kMem | kCpu | kRestart;
constexpr unsigned kAll = kNet | kByPid;

constexpr auto kConfig = Section::config;
constexpr auto kMail = Section::mail;
constexpr auto kHook = Section::webhook;
constexpr auto kCat = Section::cat;
constexpr auto kKept = Sensitivity::kept;
constexpr auto kPassword = Sensitivity::password;

constexpr unsigned kNobody = Key::kNobody, kWorkers = Key::kWorkers, kLink = Key::kLink,
                   kMailer = Key::kMailer, kReader = Key::kProcessReader, kNextStart = Key::kNextStart;

using C = CatConfig;
using M = MailConfig;
using W = WebhookConfig;
using N = NoticeLimits;

// clang-format off
constexpr Key kKeys[] = {
    {.section = kConfig, .name = "supervisordUrl", .default_text = "unix:///var/run/supervisor.sock", .renews = kNextStart, .canonical = canonical_url,
     .set = set_text<&Config::supervisord_url, check_supervisord_url>, .get = get_text<&Config::supervisord_url>},
    {.section = kConfig, .name = "supervisordUser", .sensitivity = kKept, .renews = kLink,
     .set = set_secret<&Config::supervisord_user, check_login>, .get = get_secret<&Config::supervisord_user>},
    {.section = kConfig, .name = "supervisordPass", .sensitivity = kPassword, .renews = kLink,
     .set = set_secret<&Config::supervisord_pass, line_of<1024>>, .get = get_secret<&Config::supervisord_pass>},
    {.section = kConfig, .name = "supervisordOwner", .renews = kLink, .canonical = canonical_user,
     .set = set_user<&Config::supervisord_owner>, .get = get_user<&Config::supervisord_owner>},
    {.section = kConfig, .name = "logDir", .default_text = "/var/log/healthcheckd", .renews = kWorkers,
     .set = set_text<&Config::log_dir, check_absolute_path>, .get = get_text<&Config::log_dir>},
    {.section = kConfig, .name = "logMaxBytes", .default_text = "10000000", .renews = kWorkers,
     .set = set_whole<&Config::log_max_bytes, 10'000, 1'000'000'000'000>, .get = get_whole<&Config::log_max_bytes>},
    {.section = kConfig, .name = "logBackups", .default_text = "5", .renews = kWorkers,
     .set = set_whole<&Config::log_backups, 0, 1000>, .get = get_whole<&Config::log_backups>},
    {.section = kConfig, .name = "logFormat", .default_text = "text", .renews = kWorkers,
     .set = set_choice<&Config::log_format, LogFormat::text, LogFormat::json>, .get = get_choice<&Config::log_format>},
    {.section = kConfig, .name = "stateDir", .default_text = "/var/lib/healthcheckd", .renews = kNextStart,
     .set = set_text<&Config::state_dir, check_absolute_path>, .get = get_text<&Config::state_dir>},
    {.section = kConfig, .name = "socket", .default_text = kDefaultSocket, .renews = kNextStart,
     .set = set_text<&Config::socket, check_socket_path>, .get = get_text<&Config::socket>},
    {.section = kConfig, .name = "dryRun", .default_text = "false", .renews = kNobody,
     .set = set_flag<&Config::dry_run>, .get = get_flag<&Config::dry_run>},
    {.section = kConfig, .name = "sandbox", .default_text = "strict", .renews = kWorkers | kLink | kMailer | kReader,
     .set = set_choice<&Config::sandbox, SandboxLevel::strict, SandboxLevel::log, SandboxLevel::off>,
     .get = get_choice<&Config::sandbox>},
    {.section = kConfig, .name = "workerUids", .default_text = "61184-65519", .renews = kWorkers | kLink | kReader,
     .set = set_uids, .get = get_uids},

    {.section = kMail, .name = "host", .shape = Shape::list, .default_text = "required",
     .set = set_texts<&M::hosts, parse_host, kMostHosts>, .get = get_texts<&M::hosts>},
    {.section = kMail, .name = "port", .default_text = "465",
     .set = set_whole<&M::port, 1, 65535>, .get = get_whole<&M::port>},
    {.section = kMail, .name = "user", .set = set_text<&M::user, line_of<255>>, .get = get_text<&M::user>},
    {.section = kMail, .name = "pass", .sensitivity = kPassword,
     .set = set_secret<&M::pass, line_of<1024>>, .get = get_secret<&M::pass>},
    {.section = kMail, .name = "to_list", .shape = Shape::list, .default_text = "required",
     .set = set_texts<&M::to_list, entry_address, kMostAddresses>, .get = get_texts<&M::to_list>},
    {.section = kMail, .name = "from", .canonical = entry_address,
     .set = set_text<&M::from, check_address>, .get = get_text<&M::from>},
    {.section = kMail, .name = "helo", .set = set_text<&M::helo, check_helo>, .get = get_text<&M::helo>},
    {.section = kMail, .name = "tls", .default_text = "implicit",
     .set = set_choice<&M::tls, MailTls::implicit, MailTls::starttls, MailTls::opportunistic, MailTls::none>,
     .get = get_choice<&M::tls>},
    {.section = kMail, .name = "verify", .default_text = "true",
     .set = set_flag<&M::verify>, .get = get_flag<&M::verify>},
    {.section = kMail, .name = "caFile",
     .set = set_text<&M::ca_file, check_absolute_path>, .get = get_text<&M::ca_file>},
    {.section = kMail, .name = "reminderSeconds", .default_text = "3600",
     .set = set_seconds<&N::reminder, 0>, .get = get_seconds<&N::reminder>},
    {.section = kMail, .name = "digestSeconds", .default_text = "10",
     .set = set_digest, .get = get_seconds<&N::digest>},
    {.section = kMail, .name = "maxPerHour", .default_text = "60",
     .set = set_whole<&N::most_per_hour, 1, 3600>, .get = get_whole<&N::most_per_hour>},
    {.section = kMail, .name = "subject", .set = set_text<&M::subject, check_subject>, .get = get_text<&M::subject>},
    {.section = kMail, .name = "body", .set = set_text<&M::body, check_body>, .get = get_text<&M::body>},

    {.section = kHook, .name = "url", .default_text = "required", .sensitivity = Sensitivity::url, .canonical = canonical_url,
     .set = set_secret<&W::url, check_webhook_url>, .get = get_secret<&W::url>},
    {.section = kHook, .name = "format", .default_text = "json",
     .set = set_choice<&W::format, WebhookFormat::json, WebhookFormat::slack, WebhookFormat::wecom,
                 WebhookFormat::dingtalk, WebhookFormat::feishu>,
     .get = get_choice<&W::format>},
    {.section = kHook, .name = "secret", .sensitivity = kPassword,
     .set = set_secret<&W::secret, line_of<1024>>, .get = get_secret<&W::secret>},
    {.section = kHook, .name = "headers", .shape = Shape::headers, .sensitivity = Sensitivity::masked, .canonical = checked_call_headers,
     .set = set_secret<&W::headers, check_json_size>, .get = get_secret<&W::headers>},
    {.section = kHook, .name = "verify", .default_text = "true",
     .set = set_flag<&W::verify>, .get = get_flag<&W::verify>},
    {.section = kHook, .name = "caFile",
     .set = set_text<&W::ca_file, check_absolute_path>, .get = get_text<&W::ca_file>},

    {.section = kCat, .name = "program", .types = kAll,
     .set = set_text<&C::program, check_program>, .get = get_text<&C::program>},
    {.section = kCat, .name = "type", .types = kAll, .default_text = "http",
     .set = set_choice<&C::type, CheckType::http, CheckType::tcp, CheckType::mem, CheckType::cpu, CheckType::restart>,
     .get = get_choice<&C::type>},

    {.section = kCat, .name = "maxMem", .types = kMem, .default_text = "1024",
     .set = set_max_mem, .get = get_decimal<&C::max_mem_mb>},
    {.section = kCat, .name = "memType", .types = kMem, .default_text = "rss",
     .set = set_choice<&C::mem_type, MemType::rss, MemType::pss, MemType::uss>, .get = get_choice<&C::mem_type>},
    {.section = kCat, .name = "maxCpu", .types = kCpu, .default_text = "90",
     .set = set_max_cpu, .get = get_decimal<&C::max_cpu_percent>},
    {.section = kCat, .name = "mode", .alias = "method", .types = kHttp, .default_text = "GET", .canonical = canonical_method,
     .set = set_text<&C::method, check_method>, .get = get_text<&C::method>},
    {.section = kCat, .name = "host", .types = kNet, .default_text = "localhost",
     .set = set_host<&C::host>, .get = get_text<&C::host>},
    {.section = kCat, .name = "path", .types = kHttp, .default_text = "/",
     .set = set_text<&C::path, check_request_path>, .get = get_text<&C::path>},
    {.section = kCat, .name = "port", .types = kNet, .default_text = "80",
     .set = set_whole<&C::port, 1, 65535>, .get = get_whole<&C::port>},
    {.section = kCat, .name = "tls", .types = kHttp, .default_text = "false",
     .set = set_flag<&C::tls>, .get = get_flag<&C::tls>},
    {.section = kCat, .name = "verify", .types = kHttp, .default_text = "true",
     .set = set_flag<&C::verify>, .get = get_flag<&C::verify>},
    {.section = kCat, .name = "caFile", .types = kHttp,
     .set = set_text<&C::ca_file, check_absolute_path>, .get = get_text<&C::ca_file>},
    {.section = kCat, .name = "json", .types = kHttp, .shape = Shape::json, .sensitivity = Sensitivity::masked, .canonical = checked_json,
     .set = set_secret<&C::json, check_json_size>, .get = get_secret<&C::json>},
    {.section = kCat, .name = "headers", .alias = "hearders", .alias_is_wrong = true, .types = kHttp, .shape = Shape::headers, .sensitivity = Sensitivity::masked, .canonical = checked_headers,
     .set = set_secret<&C::headers, check_json_size>, .get = get_secret<&C::headers>},
    {.section = kCat, .name = "username", .types = kHttp, .sensitivity = kKept,
     .set = set_secret<&C::username, check_login>, .get = get_secret<&C::username>},
    {.section = kCat, .name = "password", .types = kHttp, .sensitivity = kPassword,
     .set = set_secret<&C::password, line_of<1024>>, .get = get_secret<&C::password>},
    {.section = kCat, .name = "expectStatus", .types = kHttp, .shape = Shape::list, .default_text = "200-399",
     .set = set_status, .get = get_status},
    {.section = kCat, .name = "mincontinueRun", .types = kRestart, .default_text = "28800",
     .set = set_whole<&C::min_continue_run, 1, 365 * 86400>, .get = get_seconds<&C::min_continue_run>},

    {.section = kCat, .name = "pidGet", .types = kByPid, .default_text = "supervisor",
     .set = set_choice<&C::pid_get, PidGet::supervisor, PidGet::name, PidGet::file>, .get = get_choice<&C::pid_get>},
    {.section = kCat, .name = "pidFile", .types = kByPid,
     .set = set_text<&C::pid_file, check_absolute_path>, .get = get_text<&C::pid_file>},
    {.section = kCat, .name = "pidUser", .types = kByPid, .canonical = canonical_user,
     .set = set_pid_user, .get = get_pid_user},
    {.section = kCat, .name = "periodSeconds", .types = kAll, .default_text = "5",
     .set = set_seconds<&C::period, 100>, .get = get_seconds<&C::period>},
    {.section = kCat, .name = "initialDelaySeconds", .types = kAll, .default_text = "1",
     .set = set_seconds<&C::initial_delay, 0>, .get = get_seconds<&C::initial_delay>},
    {.section = kCat, .name = "timeoutSeconds", .types = kNet, .default_text = "3",
     .set = set_seconds<&C::timeout, 100>, .get = get_seconds<&C::timeout>},
    {.section = kCat, .name = "failureThreshold", .types = kAll, .default_text = "3",
     .set = set_whole<&C::failure_threshold, 1, 1'000'000>, .get = get_whole<&C::failure_threshold>},
    {.section = kCat, .name = "successThreshold", .types = kAll, .default_text = "1",
     .set = set_whole<&C::success_threshold, 1, 1'000'000>, .get = get_whole<&C::success_threshold>},
    {.section = kCat, .name = "action", .types = kAll, .shape = Shape::list, .default_text = "restart,email",
     .set = set_action, .get = get_action},
    {.section = kCat, .name = "execCmd", .types = kAll, .sensitivity = kKept,
     .set = set_action_secret<&C::exec_cmd, check_command>, .get = get_secret<&C::exec_cmd>},
    {.section = kCat, .name = "execTimeoutSeconds", .types = kAll, .default_text = "60",
     .set = set_seconds<&C::exec_timeout, 100>, .get = get_seconds<&C::exec_timeout>},
    {.section = kCat, .name = "sendResolved", .types = kAll, .default_text = "false",
     .set = set_flag<&C::send_resolved>, .get = get_flag<&C::send_resolved>},
    {.section = kCat, .name = "enabled", .types = kAll, .default_text = "true",
     .set = set_flag<&C::enabled>, .get = get_flag<&C::enabled>},
    {.section = kCat, .name = "dryRun", .types = kAll, .default_text = "false",
     .set = set_flag<&C::dry_run>, .get = get_flag<&C::dry_run>},
};
// clang-format on

static_assert(std::ranges::all_of(kKeys,
                                  [](const Key& key) {
                                      return key.section != Section::config || key.renews != Key::kNotSaid;
                                  }),
              "a key of `config` does not say what a reload renews when its value is another one");

}  // namespace

std::span<const Key> all_keys() {
    return kKeys;
}

const Key* find_key(Section section, std::string_view name) {
    for (const Key& key : kKeys)
        if (key.section == section && (key.name == name || (!key.alias.empty() && key.alias == name)))
            return &key;
    return nullptr;
}

std::vector<std::string_view> key_names(Section section) {
    std::vector<std::string_view> names;
    for (const Key& key : kKeys) {
        if (key.section != section)
            continue;
        names.push_back(key.name);
        if (!key.alias.empty() && !key.alias_is_wrong)
            names.push_back(key.alias);
    }
    return names;
}

}  // namespace healthcheckd::master
