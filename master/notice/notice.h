// Notices: one for each failure, recovery or check that cannot be made; and their JSON form, used in the
// spool and by webhooks of format json. Action and mailer.
#pragma once

#include "common/system/result.h"
#include "master/notice/incident.h"

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

// The end of a program's log.
struct LogTail {
    // "stderr"; "stdout" for a program without a stderr log of its own; "file": read from the file, as
    // supervisord could not return it; "": none.
    std::string stream;
    std::string text;          // at most 2 KiB
    std::string missing = {};  // why there is no log, or not from supervisord; empty: no problem
};

struct Notice {
    std::string id;       // of the incident: the same for all channels, sorts by time
    std::string run_id;   // the id of the master's run that saw it
    std::string channel;  // the recipient: "mail", or "webhook:NAME"
    NoticeKind kind = NoticeKind::failed;
    bool announce = true;  // false: a recovery that is not announced, but ends the failure
    std::chrono::system_clock::time_point at;
    std::string host, address, platform;
    std::string program, cat, type, state;
    std::int64_t pid = 0;  // 0: none
    double value = 0, limit = 0;
    std::string unit;  // "": no value
    std::uint32_t failures = 0;
    std::string message;
    std::string action = "none";  // "restart", "exec", "kill"
    bool action_ok = false;
    std::string action_message, output;
    std::vector<SeenVerdict> verdicts;
    LogTail log;
};

// Makes the notice of `incident` for `channel`, with the facts of this machine. Makes no calls to a server.
Notice make_notice(const Incident& incident, const std::string& channel, LogTail log);

// Returns all fields under their public names (healthcheckd(8), WEBHOOKS). Strings are valid UTF-8 without
// control characters except line feeds and tabs.
nlohmann::ordered_json notice_json(const Notice& notice);

// Encode and decode the text of a notice's file in the spool. decode_notice() fails for a text that
// encode_notice() cannot have made; it ignores unknown fields, which a newer version may write.
std::string encode_notice(const Notice& notice);
Result<Notice> decode_notice(std::string_view text);

std::string_view to_string(NoticeKind kind);

}  // namespace healthcheckd::master
