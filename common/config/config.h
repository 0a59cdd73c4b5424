// The effective configuration: plain values, validated and complete, never changed after loading. Every
// process.
//
// healthcheckd.yaml(5) describes each key; master/config/keys.h gives the table of their names, defaults and
// ranges.
#pragma once

#include "common/config/action_type.h"
#include "common/config/channel_kind.h"
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

std::string_view to_string(PidGet way);
std::string_view to_string(SandboxLevel level);
std::string_view to_string(LogFormat format);

// What a cat does when it fires: the value of the key `action`.
struct ActionSet {
    // In the order of action_types(); at most one of them runs.
    std::vector<const ActionType*> acts = {};
    // Recipients, in words of the key `action`: "email", "webhook", "webhook:NAME". Ordered as
    // channel_kinds().
    std::vector<std::string> tells = {};

    // Returns the one that runs, or nullptr.
    const ActionType* main() const;
    friend bool operator==(const ActionSet&, const ActionSet&) = default;
};

// A range of uids, both ends included, from which each child gets one of its own; empty when off().
struct UidRange {
    uid_t first = 61184;  // systemd's dynamic users
    uid_t last = 65519;

    bool off() const { return last == 0; }
    bool holds(uid_t uid) const { return !off() && first <= uid && uid <= last; }
    friend bool operator==(const UidRange&, const UidRange&) = default;
};
inline constexpr UidRange kNoUids{0, 0};

// The rate of notifications, for each channel.
struct NoticeLimits {
    // Interval between notifications of a failure that continues.
    std::chrono::milliseconds reminder{3'600'000};
    // Notices within this time after a message are collected in one further message.
    std::chrono::milliseconds digest{10'000};
    std::uint32_t most_per_hour = 60;  // messages per channel
};

// One notification channel.
struct ChannelConfig {
    explicit ChannelConfig(const ChannelKind& of, std::string called = "");

    // "mail", "webhook:ops".
    std::string label() const;
    // Returns the settings of its kind. Throws std::logic_error when they are no S.
    template <class S> S& own() { return settings_of<S>(settings); }
    template <class S> const S& own() const { return settings_of<S>(settings); }

    const ChannelKind* kind;
    std::string name;  // "" where the kind has no names
    AnySettings settings;
};

// The configuration of one cat: the keys common to all cats, and those of its type and of the actions.
struct CatConfig {
    // The default type is the first one, http.
    CatConfig();
    explicit CatConfig(const CheckType& of);

    // Changes the type and resets the keys of the type to their defaults.
    void set_type(const CheckType& other);
    // Returns the settings of its type or of an action that are an S or derived from S. Throws
    // std::logic_error when there are none.
    template <class S> S& own();
    template <class S> const S& own() const;
    // Returns the settings of an action. Every cat has the settings of all actions, whichever it names.
    AnySettings& settings_of(const ActionType& of);
    const AnySettings& settings_of(const ActionType& of) const;

    std::string name;                 // "cat1"
    int line = 0;                     // its line in the file, 1-based
    std::string program;              // "name", "group:name" or "system"
    const CheckType* type = nullptr;  // never nullptr; set by set_type()
    PidGet pid_get = PidGet::supervisor;
    std::string pid_file;
    std::optional<uid_t> pid_user;  // with pidGet name: consider processes of this user besides those of root
    std::chrono::milliseconds period{5000};
    std::chrono::milliseconds initial_delay{1000};
    std::chrono::milliseconds timeout{3000};
    std::uint32_t failure_threshold = 3;
    std::uint32_t success_threshold = 1;
    ActionSet action;  // the default is "restart,email"
    bool send_resolved = false;
    bool enabled = true;   // false: not probed at all
    bool dry_run = false;  // set for this cat or for all: actions are planned and announced, but not run

    // Returns a copy without secrets, which may outlive the Config::secrets that holds them.
    CatConfig without_secrets() const;
    bool whole_machine() const { return program == "system"; }
    // Returns the file in /proc/PID that measures its process ("statm"); "" when none is needed. The process
    // reader opens it and the master passes the descriptor on: reads return ESRCH after the process has
    // ended, even if another one has its pid by then.
    std::string measured_file() const;
    // Returns whether the cat measures one process, through that file.
    bool measures_one_process() const { return type->measures_process && !whole_machine(); }

private:
    AnySettings own_;
    std::vector<AnySettings> of_actions_;  // in the order of action_types()
};

template <class S> const S& CatConfig::own() const {
    if (const S* settings = own_.as<S>())
        return *settings;
    for (const AnySettings& each : of_actions_)
        if (const S* settings = each.as<S>())
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
    // A uid that supervisord may run as, besides root and the user that started healthcheckd.
    std::optional<std::uint32_t> supervisord_owner;
    std::vector<ChannelConfig> channels;  // in the order of channel_kinds(), then of the file
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
    // From the machine's user database, looked up when the configuration is read
    // (master/config/child_accounts).
    std::vector<uid_t> taken_uids;  // uids within worker_uids that belong to a user; sorted
    uid_t mailer_uid = UidRange().first;
    gid_t mailer_gid = UidRange().first;
    std::vector<CatConfig> cats;

    // Owns the bytes of all Secrets above.
    std::shared_ptr<SecretStore> secrets = std::make_shared<SecretStore>();

    // Returns whether the configuration has a channel for `audience`, a word of the key `action` ("email",
    // "webhook:ops").
    bool tells_anybody(const std::string& audience) const;
    // Returns the channel with this label ("webhook:ops"), or nullptr.
    const ChannelConfig* channel(std::string_view label) const;
    // Returns the settings of the first channel whose settings are an S, or nullptr.
    template <class S> const S* first_channel() const {
        for (const ChannelConfig& each : channels)
            if (const S* settings = each.settings.as<S>())
                return settings;
        return nullptr;
    }
};

// Returns the labels of the configured channels that `action` notifies.
std::vector<std::string> channels_of(const Config& config, const ActionSet& action);

// One error or warning about a configuration file.
struct Diagnostic {
    enum class Severity : std::uint8_t { warning, error };
    Severity severity = Severity::error;
    std::string file;
    int line = 0;      // 1-based; 0: refers to no place in the file
    int column = 0;    // 1-based
    std::string path;  // "cat1.periodSeconds"
    std::string text;

    // Returns "FILE:LINE:COL: error: cat1.periodSeconds: text".
    std::string format() const;
};

// The result of loading a file: diagnostics in the order of the file and, unless one of them is an error, the
// configuration.
struct LoadedConfig {
    std::vector<Diagnostic> diagnostics;
    std::shared_ptr<const Config> config;
};

}  // namespace healthcheckd
