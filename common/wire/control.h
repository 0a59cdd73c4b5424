// What healthcheckctl asks a running healthcheckd, and the shape of the answers: the grammar, one encoder and
// one decoder. Master and healthcheckctl.
//
// One request for each connection to the unix stream socket `config.socket`: one line of the line grammar
// (common/wire/line_codec), at most kMaxLine bytes with its newline.
//
//   status
//   pause name=CAT_OR_PROGRAM for_ms=N      (0: until resume)
//   resume name=CAT_OR_PROGRAM
//   check name=CAT
//   test-action name=CAT
//   reload
//   history name=CAT
//
// The answer is one JSON object, then the end of the stream. What could not be done, of any request:
//
//   {"ok": false, "error": "there is no cat 'x'; did you mean 'y'?"}
//
// and what could ("at" and "until" are RFC 3339 in UTC):
//
//   status       {"ok": true, "state": {...}}: the document of state.json (master/state), where each cat
//                has in addition "paused": null | {"until": null | "2026-11-25T22:30:00Z"} and "dryRun": bool
//   pause        {"ok": true, "cats": ["a", "b"], "until": null | "2026-11-25T22:30:00Z"}
//   resume       {"ok": true, "cats": ["a", "b"]}
//   check        {"ok": true, "cat", "verdict", "message", "value", "limit", "unit", "tookMs", "state"}
//   test-action  {"ok": true, "cat", "lines": ["would restart web (pid 12) through supervisord", ...]}
//   reload       {"ok": true, "added": [], "removed": [], "changed": [], "unchanged": 12, "notes": []}
//                or {"ok": false, "error", "problems": ["FILE:LINE:COL: error: ...", ...]}
//   history      {"ok": true, "cat", "events": [...]}, the oldest first, at most 50, each one of
//                {"at", "kind": "verdict", "verdict", "value", "unit", "tookMs", "text", "state"}
//                {"at", "kind": "action", "action", "ok", "text"}
//                {"at", "kind": "state", "text"}
#pragma once

#include "common/wire/line_codec.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace healthcheckd {

// Where healthcheckd listens and healthcheckctl asks, when nobody says otherwise.
inline constexpr char kDefaultSocket[] = "/run/healthcheckd/healthcheckd.sock";

// How long the master keeps a client: for its line, for the answer to be made and for the client to read it. An answer
// that a probe or a file has to come for first is bounded by the deadlines of these; it is waited for as long as
// healthcheckctl may wait.
inline constexpr std::chrono::seconds kControlLimit{10};
inline constexpr std::chrono::seconds kLongestAnswer{3600};
inline constexpr std::chrono::seconds kSlowControlLimit = kLongestAnswer + kControlLimit;  // check, reload

// The longest pause with an end, ten years: no clock arithmetic overflows by it.
inline constexpr std::uint64_t kLongestPauseMs = 10ULL * 366 * 24 * 3600 * 1000;

// What healthcheckctl can be told to do. A command without an answer of its own on the screen prints the texts that the
// answer has as "lines".
struct ControlCommand {
    enum class Argument : std::uint8_t {
        none,
        cat_shown,  // may name a cat: healthcheckctl shows that one of all
        cat,        // names a cat
        cats,       // names a cat, or a program and so all of its cats
    };

    std::string_view name;  // on the command line, and the kind of the request's line
    Argument argument = Argument::none;
    std::string_view options =
        {};  // letters of those of healthcheckctl that it knows, in addition to -s and --timeout
    bool has_duration = false;   // its request has for_ms
    bool is_slow = false;        // healthcheckd has to wait for a probe or for a file
    std::string_view asks = {};  // the request that it makes, where that is another command's
    std::string_view usage;      // "pause CAT|PROGRAM [--for 30m]"
    std::string_view help;

    bool names_cats() const { return argument == Argument::cat || argument == Argument::cats; }
};

// All commands, in the order of --help.
std::span<const ControlCommand> control_commands();

// The command called so; nullptr: there is none.
const ControlCommand* find_command(std::string_view name);

struct ControlRequest {
    const ControlCommand* command = nullptr;  // one that asks for itself
    std::string name = {};                    // where the command names cats
    std::uint64_t for_ms = 0;                 // where it has a duration; 0: without end
};

// What `command`, one of control_commands(), asks of healthcheckd. Throws std::logic_error for any other.
ControlRequest request_of(std::string_view command, std::string name = {}, std::uint64_t for_ms = 0);

// Gives a writer whose line() is ready to be sent, or empty when the name does not fit.
LineWriter encode(const ControlRequest& m);

// Takes a line without its newline; fails on anything that the grammar does not say, and on an empty name.
bool decode(std::string_view line, ControlRequest& out);

}  // namespace healthcheckd
