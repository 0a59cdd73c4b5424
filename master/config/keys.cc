#include "master/config/keys.h"

#include "common/text/template.h"
#include "master/config/accessors.h"
#include "master/config/child_accounts.h"
#include "master/config/json.h"
#include "master/config/texts.h"
#include "master/config/values.h"

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
constexpr auto kScalar = Shape::scalar;
constexpr auto kOpen = Sensitivity::open;
constexpr auto kKept = Sensitivity::kept;
constexpr auto kPassword = Sensitivity::password;

using C = CatConfig;
using M = MailConfig;
using W = WebhookConfig;
using N = NoticeLimits;

// clang-format off
constexpr Key kKeys[] = {
    {kConfig, "supervisordUrl", "", false, 0, kScalar, "unix:///var/run/supervisor.sock", kOpen, canonical_url,
     set_text<&Config::supervisord_url, check_supervisord_url>, get_text<&Config::supervisord_url>},
    {kConfig, "supervisordUser", "", false, 0, kScalar, "none", kKept, nullptr,
     set_secret<&Config::supervisord_user, check_login>, get_secret<&Config::supervisord_user>},
    {kConfig, "supervisordPass", "", false, 0, kScalar, "none", kPassword, nullptr,
     set_secret<&Config::supervisord_pass, line_of<1024>>, get_secret<&Config::supervisord_pass>},
    {kConfig, "supervisordOwner", "", false, 0, kScalar, "none", kOpen, canonical_user,
     set_user<&Config::supervisord_owner>, get_user<&Config::supervisord_owner>},
    {kConfig, "logDir", "", false, 0, kScalar, "/var/log/healthcheckd", kOpen, nullptr,
     set_text<&Config::log_dir, check_absolute_path>, get_text<&Config::log_dir>},
    {kConfig, "logMaxBytes", "", false, 0, kScalar, "10000000", kOpen, nullptr,
     set_whole<&Config::log_max_bytes, 10'000, 1'000'000'000'000>, get_whole<&Config::log_max_bytes>},
    {kConfig, "logBackups", "", false, 0, kScalar, "5", kOpen, nullptr,
     set_whole<&Config::log_backups, 0, 1000>, get_whole<&Config::log_backups>},
    {kConfig, "logFormat", "", false, 0, kScalar, "text", kOpen, nullptr,
     set_choice<&Config::log_format, LogFormat::text, LogFormat::json>, get_choice<&Config::log_format>},
    {kConfig, "stateDir", "", false, 0, kScalar, "/var/lib/healthcheckd", kOpen, nullptr,
     set_text<&Config::state_dir, check_absolute_path>, get_text<&Config::state_dir>},
    {kConfig, "socket", "", false, 0, kScalar, kDefaultSocket, kOpen, nullptr,
     set_text<&Config::socket, check_socket_path>, get_text<&Config::socket>},
    {kConfig, "dryRun", "", false, 0, kScalar, "false", kOpen, nullptr,
     set_flag<&Config::dry_run>, get_flag<&Config::dry_run>},
    {kConfig, "sandbox", "", false, 0, kScalar, "strict", kOpen, nullptr,
     set_choice<&Config::sandbox, SandboxLevel::strict, SandboxLevel::log, SandboxLevel::off>,
     get_choice<&Config::sandbox>},
    {kConfig, "workerUids", "", false, 0, kScalar, "61184-65519", kOpen, nullptr, set_uids, get_uids},

    {kMail, "host", "", false, 0, Shape::list, "required", kOpen, nullptr,
     set_texts<&M::hosts, parse_host, kMostHosts>, get_texts<&M::hosts>},
    {kMail, "port", "", false, 0, kScalar, "465", kOpen, nullptr,
     set_whole<&M::port, 1, 65535>, get_whole<&M::port>},
    {kMail, "user", "", false, 0, kScalar, "none", kOpen, nullptr,
     set_text<&M::user, line_of<255>>, get_text<&M::user>},
    {kMail, "pass", "", false, 0, kScalar, "none", kPassword, nullptr,
     set_secret<&M::pass, line_of<1024>>, get_secret<&M::pass>},
    {kMail, "to_list", "", false, 0, Shape::list, "required", kOpen, nullptr,
     set_texts<&M::to_list, entry_address, kMostAddresses>, get_texts<&M::to_list>},
    {kMail, "from", "", false, 0, kScalar, "none", kOpen, entry_address,
     set_text<&M::from, check_address>, get_text<&M::from>},
    {kMail, "helo", "", false, 0, kScalar, "none", kOpen, nullptr,
     set_text<&M::helo, check_helo>, get_text<&M::helo>},
    {kMail, "tls", "", false, 0, kScalar, "implicit", kOpen, nullptr,
     set_choice<&M::tls, MailTls::implicit, MailTls::starttls, MailTls::opportunistic, MailTls::none>,
     get_choice<&M::tls>},
    {kMail, "verify", "", false, 0, kScalar, "true", kOpen, nullptr, set_flag<&M::verify>, get_flag<&M::verify>},
    {kMail, "caFile", "", false, 0, kScalar, "none", kOpen, nullptr,
     set_text<&M::ca_file, check_absolute_path>, get_text<&M::ca_file>},
    {kMail, "reminderSeconds", "", false, 0, kScalar, "3600", kOpen, nullptr,
     set_seconds<&N::reminder, 0>, get_seconds<&N::reminder>},
    {kMail, "digestSeconds", "", false, 0, kScalar, "10", kOpen, nullptr,
     set_digest, get_seconds<&N::digest>},
    {kMail, "maxPerHour", "", false, 0, kScalar, "60", kOpen, nullptr,
     set_whole<&N::most_per_hour, 1, 3600>, get_whole<&N::most_per_hour>},
    {kMail, "subject", "", false, 0, kScalar, "none", kOpen, nullptr,
     set_text<&M::subject, check_subject>, get_text<&M::subject>},
    {kMail, "body", "", false, 0, kScalar, "none", kOpen, nullptr,
     set_text<&M::body, check_body>, get_text<&M::body>},

    {kHook, "url", "", false, 0, kScalar, "required", Sensitivity::url, canonical_url,
     set_secret<&W::url, check_webhook_url>, get_secret<&W::url>},
    {kHook, "format", "", false, 0, kScalar, "json", kOpen, nullptr,
     set_choice<&W::format, WebhookFormat::json, WebhookFormat::slack, WebhookFormat::wecom,
                WebhookFormat::dingtalk, WebhookFormat::feishu>,
     get_choice<&W::format>},
    {kHook, "secret", "", false, 0, kScalar, "none", kPassword, nullptr,
     set_secret<&W::secret, line_of<1024>>, get_secret<&W::secret>},
    {kHook, "headers", "", false, 0, Shape::headers, "none", Sensitivity::masked, checked_call_headers,
     set_secret<&W::headers, check_json_size>, get_secret<&W::headers>},
    {kHook, "verify", "", false, 0, kScalar, "true", kOpen, nullptr, set_flag<&W::verify>, get_flag<&W::verify>},
    {kHook, "caFile", "", false, 0, kScalar, "none", kOpen, nullptr,
     set_text<&W::ca_file, check_absolute_path>, get_text<&W::ca_file>},

    {kCat, "program", "", false, kAll, kScalar, "none", kOpen, nullptr,
     set_text<&C::program, check_program>, get_text<&C::program>},
    {kCat, "type", "", false, kAll, kScalar, "http", kOpen, nullptr,
     set_choice<&C::type, CheckType::http, CheckType::tcp, CheckType::mem, CheckType::cpu, CheckType::restart>,
     get_choice<&C::type>},

    {kCat, "maxMem", "", false, kMem, kScalar, "1024", kOpen, nullptr,
     set_max_mem, get_decimal<&C::max_mem_mb>},
    {kCat, "memType", "", false, kMem, kScalar, "rss", kOpen, nullptr,
     set_choice<&C::mem_type, MemType::rss, MemType::pss, MemType::uss>, get_choice<&C::mem_type>},
    {kCat, "maxCpu", "", false, kCpu, kScalar, "90", kOpen, nullptr,
     set_max_cpu, get_decimal<&C::max_cpu_percent>},
    {kCat, "mode", "method", false, kHttp, kScalar, "GET", kOpen, canonical_method,
     set_text<&C::method, check_method>, get_text<&C::method>},
    {kCat, "host", "", false, kNet, kScalar, "localhost", kOpen, nullptr, set_host<&C::host>, get_text<&C::host>},
    {kCat, "path", "", false, kHttp, kScalar, "/", kOpen, nullptr,
     set_text<&C::path, check_request_path>, get_text<&C::path>},
    {kCat, "port", "", false, kNet, kScalar, "80", kOpen, nullptr,
     set_whole<&C::port, 1, 65535>, get_whole<&C::port>},
    {kCat, "tls", "", false, kHttp, kScalar, "false", kOpen, nullptr, set_flag<&C::tls>, get_flag<&C::tls>},
    {kCat, "verify", "", false, kHttp, kScalar, "true", kOpen, nullptr, set_flag<&C::verify>, get_flag<&C::verify>},
    {kCat, "caFile", "", false, kHttp, kScalar, "none", kOpen, nullptr,
     set_text<&C::ca_file, check_absolute_path>, get_text<&C::ca_file>},
    {kCat, "json", "", false, kHttp, Shape::json, "none", Sensitivity::masked, checked_json,
     set_secret<&C::json, check_json_size>, get_secret<&C::json>},
    {kCat, "headers", "hearders", true, kHttp, Shape::headers, "none", Sensitivity::masked, checked_headers,
     set_secret<&C::headers, check_json_size>, get_secret<&C::headers>},
    {kCat, "username", "", false, kHttp, kScalar, "none", kKept, nullptr,
     set_secret<&C::username, check_login>, get_secret<&C::username>},
    {kCat, "password", "", false, kHttp, kScalar, "none", kPassword, nullptr,
     set_secret<&C::password, line_of<1024>>, get_secret<&C::password>},
    {kCat, "expectStatus", "", false, kHttp, Shape::list, "200-399", kOpen, nullptr, set_status, get_status},
    {kCat, "mincontinueRun", "", false, kRestart, kScalar, "28800", kOpen, nullptr,
     set_whole<&C::min_continue_run, 1, 365 * 86400>, get_seconds<&C::min_continue_run>},

    {kCat, "pidGet", "", false, kByPid, kScalar, "supervisor", kOpen, nullptr,
     set_choice<&C::pid_get, PidGet::supervisor, PidGet::name, PidGet::file>, get_choice<&C::pid_get>},
    {kCat, "pidFile", "", false, kByPid, kScalar, "none", kOpen, nullptr,
     set_text<&C::pid_file, check_absolute_path>, get_text<&C::pid_file>},
    {kCat, "pidUser", "", false, kByPid, kScalar, "none", kOpen, canonical_user, set_pid_user, get_pid_user},
    {kCat, "periodSeconds", "", false, kAll, kScalar, "5", kOpen, nullptr,
     set_seconds<&C::period, 100>, get_seconds<&C::period>},
    {kCat, "initialDelaySeconds", "", false, kAll, kScalar, "1", kOpen, nullptr,
     set_seconds<&C::initial_delay, 0>, get_seconds<&C::initial_delay>},
    {kCat, "timeoutSeconds", "", false, kNet, kScalar, "3", kOpen, nullptr,
     set_seconds<&C::timeout, 100>, get_seconds<&C::timeout>},
    {kCat, "failureThreshold", "", false, kAll, kScalar, "3", kOpen, nullptr,
     set_whole<&C::failure_threshold, 1, 1'000'000>, get_whole<&C::failure_threshold>},
    {kCat, "successThreshold", "", false, kAll, kScalar, "1", kOpen, nullptr,
     set_whole<&C::success_threshold, 1, 1'000'000>, get_whole<&C::success_threshold>},
    {kCat, "action", "", false, kAll, Shape::list, "restart,email", kOpen, nullptr, set_action, get_action},
    {kCat, "execCmd", "", false, kAll, kScalar, "none", kKept, nullptr,
     set_action_secret<&C::exec_cmd, check_command>, get_secret<&C::exec_cmd>},
    {kCat, "execTimeoutSeconds", "", false, kAll, kScalar, "60", kOpen, nullptr,
     set_seconds<&C::exec_timeout, 100>, get_seconds<&C::exec_timeout>},
    {kCat, "sendResolved", "", false, kAll, kScalar, "false", kOpen, nullptr,
     set_flag<&C::send_resolved>, get_flag<&C::send_resolved>},
    {kCat, "enabled", "", false, kAll, kScalar, "true", kOpen, nullptr, set_flag<&C::enabled>, get_flag<&C::enabled>},
    {kCat, "dryRun", "", false, kAll, kScalar, "false", kOpen, nullptr, set_flag<&C::dry_run>, get_flag<&C::dry_run>},
};
// clang-format on

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
