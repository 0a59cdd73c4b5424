// The effective configuration: plain values, checked and complete, never changed after loading. Every
// process.
//
// healthcheckd.yaml(5) describes each key; master/config/keys is the one table of their names, defaults and
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

// What a firing does, as the file says it.
struct ActionSet {
    // In the order of action_types(); at most one of them runs.
    std::vector<const ActionType*> acts = {};
    // Who is told, in words of the key `action`: "email", "webhook", "webhook:NAME"; those of kinds of channel in
    // the order of channel_kinds().
    std::vector<std::string> tells = {};

    // The one that runs; nullptr: none.
    const ActionType* main() const;
    friend bool operator==(const ActionSet&, const ActionSet&) = default;
};

// Numbers of users, both ends included, of which each child gets one for itself; none when switched off.
struct UidRange {
    uid_t first = 61184;  // systemd's dynamic users
    uid_t last = 65519;

    bool off() const { return last == 0; }
    bool holds(uid_t uid) const { return !off() && first <= uid && uid <= last; }
    friend bool operator==(const UidRange&, const UidRange&) = default;
};
inline constexpr UidRange kNoUids{0, 0};

// How often people are told, over each channel.
struct NoticeLimits {
    std::chrono::milliseconds reminder{3'600'000};  // a cat that goes on failing is told again after it
    std::chrono::milliseconds digest{10'000};       // what follows a message within it goes into one more
    std::uint32_t most_per_hour = 60;               // messages
};

// One channel by which people are told.
struct ChannelConfig {
    explicit ChannelConfig(const ChannelKind& of, std::string called = "");

    // "mail", "webhook:ops".
    std::string label() const;
    // The settings of its kind, which are S. Throws std::logic_error when they are not.
    template <class S> S& own() { return settings_of<S>(settings); }
    template <class S> const S& own() const { return settings_of<S>(settings); }

    const ChannelKind* kind;
    std::string name;  // "" where the kind has no names
    AnySettings settings;
};

// The keys that all cats have, and those of one type of check.
struct CatConfig {
    // Of the first type, http.
    CatConfig();
    explicit CatConfig(const CheckType& of);

    // From now on of another type, whose keys have their defaults.
    void set_type(const CheckType& other);
    // The settings of its type, or of an action, which are S or derived from it. Throws std::logic_error when
    // it has none.
    template <class S> S& own();
    template <class S> const S& own() const;
    // Those of an action that has any; every cat has them, whatever it does.
    AnySettings& settings_of(const ActionType& of);
    const AnySettings& settings_of(const ActionType& of) const;

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
    ActionSet action;  // the default is that of the guide: "restart,email"
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
    // Another uid that supervisord may run as, beside root and whoever started healthcheckd.
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
    // What the machine's user database says, looked up when the configuration is read
    // (master/config/child_accounts).
    std::vector<uid_t> taken_uids;  // of worker_uids, sorted: they belong to somebody
    uid_t mailer_uid = UidRange().first;
    gid_t mailer_gid = UidRange().first;
    std::vector<CatConfig> cats;

    std::shared_ptr<SecretStore> secrets =
        std::make_shared<SecretStore>();  // holds what the Secrets above show

    // Is there a channel that a word of the key `action` ("email", "webhook:ops") stands for?
    bool tells_anybody(const std::string& audience) const;
    // The channel called so ("webhook:ops"); nullptr: there is none.
    const ChannelConfig* channel(std::string_view label) const;
    // The settings of the first channel that has an S; nullptr: none has.
    template <class S> const S* first_channel() const {
        for (const ChannelConfig& each : channels)
            if (const S* settings = each.settings.as<S>())
                return settings;
        return nullptr;
    }
};

// Who a cat with these actions tells, of those that the configuration has: labels of channels.
std::vector<std::string> channels_of(const Config& config, const ActionSet& action);

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
