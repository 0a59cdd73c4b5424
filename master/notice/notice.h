// What people are told: one notice for each failure, recovery or check that cannot be made, and its JSON
// form, in which it lies in the spool and goes to webhooks of format json. Action and mailer.
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
    std::string stream;  // "stderr", or "stdout" of a program that has no stderr log of its own; "file":
                         // read from the file, as supervisord could not give it; "": none
    std::string text;    // at most 2 KiB
    std::string missing = {};  // why there is none, or not from supervisord; empty: nothing is amiss
};

struct Notice {
    std::string id;       // of the incident: the same for all channels, sorts by time
    std::string life;     // of the master that saw it
    std::string channel;  // whom it goes to: "mail", or "webhook:NAME"
    NoticeKind kind = NoticeKind::failed;
    bool announce = true;  // false: a recovery that nobody wants to hear of, but that ends the failure
    std::chrono::system_clock::time_point at;
    std::string host, address, platform;
    std::string program, cat, type, state;
    std::int64_t pid = 0;  // 0: none
    double value = 0, limit = 0;
    std::string unit;  // "": there is no value
    std::uint32_t failures = 0;
    std::string message;
    std::string action = "none";  // "restart", "exec", "kill"
    bool action_ok = false;
    std::string action_message, output;
    std::vector<SeenVerdict> verdicts;
    LogTail log;
};

// The notice of `incident` for `channel`, with the facts of this machine. Asks no server.
Notice make_notice(const Incident& incident, const std::string& channel, LogTail log);

// All fields under their public names (healthcheckd(8), WEBHOOKS). Texts are valid UTF-8 without control
// characters but line feeds and tabs.
nlohmann::ordered_json notice_json(const Notice& notice);

// The text of the notice's file in the spool, and back. The second fails on a text that the first did not
// make; unknown fields of a newer version are ignored.
std::string encode_notice(const Notice& notice);
Result<Notice> decode_notice(std::string_view text);

std::string_view to_string(NoticeKind kind);

}  // namespace healthcheckd::master
