// The effective configuration: plain values, checked and complete, never changed after loading. Every
// process.
//
// healthcheckd.yaml(5) describes each key; master/config/keys is the one table of their names, defaults and
// ranges.
#pragma once

#include "common/config/check_type.h"
#include "common/config/settings.h"
#include "common/log/log_line.h"
#include "common/sandbox/level.h"
#include "common/system/secret.h"
#include "common/wire/control.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace healthcheckd {

enum class PidGet : std::uint8_t { supervisor, name, file };
enum class MailTls : std::uint8_t { implicit, starttls, opportunistic, none };
enum class WebhookFormat : std::uint8_t { json, slack, wecom, dingtalk, feishu };

std::string_view to_string(PidGet way);
std::string_view to_string(MailTls tls);
std::string_view to_string(WebhookFormat format);
std::string_view to_string(SandboxLevel level);
std::string_view to_string(LogFormat format);

// What a firing does, as the file says it.
struct ActionSet {
    bool restart = false, kill = false, exec = false, email = false;
    bool webhook = false;                    // all webhooks of the configuration
    std::vector<std::string> webhooks = {};  // those of these names

    // Does it tell anybody?
    bool tells() const { return email || webhook || !webhooks.empty(); }
    friend bool operator==(const ActionSet&, const ActionSet&) = default;
};

// The one of restart, exec and kill that runs: the first in this order.
enum class MainAction : std::uint8_t { none, restart, exec, kill };
std::string_view to_string(MainAction action);
MainAction main_action_from(std::string_view text);  // none for any other text
MainAction main_action(const ActionSet& actions);

// Numbers of users, both ends included, of which each child gets one for itself; none when switched off.
struct UidRange {
    uid_t first = 61184;  // systemd's dynamic users
    uid_t last = 65519;

    bool off() const { return last == 0; }
    bool holds(uid_t uid) const { return !off() && first <= uid && uid <= last; }
    friend bool operator==(const UidRange&, const UidRange&) = default;
};
inline constexpr UidRange kNoUids{0, 0};

struct MailConfig {
    std::vector<std::string> hosts;  // tried in this order
    int port = 465;
    std::string user;  // login and default sender; may be empty
    Secret pass;       // no login without one
    std::vector<std::string> to_list;
    std::string from;  // effective sender address
    std::string helo;  // how we call ourselves to the server; empty: the full name of this host
    MailTls tls = MailTls::implicit;
    bool verify = true;
    std::string ca_file;  // empty: the system's
    std::string subject;  // template (common/notice_template); empty: healthcheckd's own
    std::string body;     // the same
};

// How often people are told, over each channel.
struct NoticeLimits {
    std::chrono::milliseconds reminder{3'600'000};  // a cat that goes on failing is told again after it
    std::chrono::milliseconds digest{10'000};       // what follows a message within it goes into one more
    std::uint32_t most_per_hour = 60;               // messages
};

struct WebhookConfig {
    std::string name;
    Secret url;  // http or https; part of it is a key with most services
    WebhookFormat format = WebhookFormat::json;
    Secret secret;   // signs each call; empty: no signature
    Secret headers;  // a JSON object of texts; empty: none
    bool verify = true;
    std::string ca_file;  // empty: the system's
};

// The keys that all cats have, and those of one type of check.
struct CatConfig {
    // Of the first type, http.
    CatConfig();
    explicit CatConfig(const CheckType& of) { set_type(of); }

    // From now on of another type, whose keys have their defaults.
    void set_type(const CheckType& other);
    // The settings of its type, which are S or derived from it. Throws std::logic_error when they are not.
    template <class S> S& own();
    template <class S> const S& own() const;

    std::string name;                 // "cat1"
    int line = 0;                     // where it stands in the file, 1-based
    std::string program;              // "name", "group:name" or "system"
    const CheckType* type = nullptr;  // never nullptr; set by set_type()
    PidGet pid_get = PidGet::supervisor;
    std::string pid_file;
    std::optional<uid_t> pid_user;  // with pidGet name: whose processes may be meant beside those of root
    std::chrono::milliseconds period{5000};
    std::chrono::milliseconds initial_delay{1000};
    std::chrono::milliseconds timeout{3000};
    std::uint32_t failure_threshold = 3;
    std::uint32_t success_threshold = 1;
    ActionSet action{.restart = true, .email = true};
    Secret exec_cmd;  // for the cat's actions only, not for its worker
    std::chrono::milliseconds exec_timeout{60000};
    bool send_resolved = false;
    bool enabled = true;   // false: not probed at all
    bool dry_run = false;  // its own, or that of all cats: everything is decided and told, nothing is done

    // The same without its secrets, which lie in a Config::secrets that it may outlive.
    CatConfig without_secrets() const;
    bool whole_machine() const { return program == "system"; }
    // The file below /proc/PID that measures its process ("statm"), "" when none is needed. The process reader
    // opens it and the master passes the descriptor: it answers ESRCH once the process is gone, whoever has the
    // number then.
    std::string measured_file() const;
    // One process is measured, by that file.
    bool measures_one_process() const { return type->measures_process && !whole_machine(); }

private:
    AnySettings own_;
};

template <class S> const S& CatConfig::own() const {
    if (const S* settings = own_.as<S>())
        return *settings;
    throw std::logic_error("a cat of type " + std::string(type->name) + " has not these settings");
}
template <class S> S& CatConfig::own() {
    return const_cast<S&>(std::as_const(*this).own<S>());
}

struct Config {
    std::string file;
    std::string supervisord_url = "unix:///var/run/supervisor.sock";
    Secret supervisord_user;
    Secret supervisord_pass;
    // Another uid that supervisord may run as, beside root and whoever started healthcheckd.
    std::optional<std::uint32_t> supervisord_owner;
    std::optional<MailConfig> mail;
    std::vector<WebhookConfig> webhooks;
    NoticeLimits notices;
    std::string log_dir = "/var/log/healthcheckd";
    std::uint64_t log_max_bytes = 10'000'000;
    int log_backups = 5;
    LogFormat log_format = LogFormat::text;
    std::string state_dir = "/var/lib/healthcheckd";
    std::string socket = kDefaultSocket;  // for healthcheckctl
    bool dry_run = false;                 // of all cats
    SandboxLevel sandbox = SandboxLevel::strict;
    UidRange worker_uids;
    // What the machine's user database says, looked up when the configuration is read
    // (master/config/child_accounts).
    std::vector<uid_t> taken_uids;  // of worker_uids, sorted: they belong to somebody
    uid_t mailer_uid = UidRange().first;
    gid_t mailer_gid = UidRange().first;
    std::vector<CatConfig> cats;

    std::shared_ptr<SecretStore> secrets =
        std::make_shared<SecretStore>();  // holds what the Secrets above show
};

// One complaint about a configuration file.
struct Diagnostic {
    enum class Severity : std::uint8_t { warning, error };
    Severity severity = Severity::error;
    std::string file;
    int line = 0;      // 1-based; 0 when the complaint is about no place in the file
    int column = 0;    // 1-based
    std::string path;  // "cat1.periodSeconds"
    std::string text;

    // "FILE:LINE:COL: error: cat1.periodSeconds: text".
    std::string format() const;
};

// What loading a file gives: complaints in the order of the file and, unless one of them is an error, the
// configuration.
struct LoadedConfig {
    std::vector<Diagnostic> diagnostics;
    std::shared_ptr<const Config> config;
};

}  // namespace healthcheckd
