// The protocol between healthcheckctl and healthcheckd: the grammar, one encoder and one decoder. Master and
// healthcheckctl.
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
// The answer is one JSON object, then the end of the stream. The answer to any request that failed:
//
//   {"ok": false, "error": "there is no cat 'x'; did you mean 'y'?"}
//
// and to one that succeeded ("at" and "until" are RFC 3339 in UTC):
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

// The default of `config.socket` and of healthcheckctl -s.
inline constexpr char kDefaultSocket[] = "/run/healthcheckd/healthcheckd.sock";

// Timeout after which the master closes a client's connection.
inline constexpr std::chrono::seconds kControlLimit{10};
// For requests that wait for a probe or a file, whose own timeouts bound the answer: as long as healthcheckctl may wait.
inline constexpr std::chrono::seconds kSlowControlLimit =
    std::chrono::seconds(3600) + kControlLimit;  // check, reload

// The longest pause that ends by itself: ten years, short enough for clock arithmetic not to overflow.
inline constexpr std::uint64_t kLongestPauseMs = 10ULL * 366 * 24 * 3600 * 1000;

// A command of healthcheckctl. healthcheckctl prints the texts in the answer's "lines" for a command that has
// no output format of its own.
struct ControlCommand {
    enum class Argument : std::uint8_t {
        none,
        cat_shown,  // optionally the name of a cat: healthcheckctl shows only this cat
        cat,        // the name of a cat
        cats,       // the name of a cat, or of a program for all of its cats
    };

    std::string_view name;  // on the command line, and the kind of the request's line
    Argument argument = Argument::none;
    // Letters of the options of healthcheckctl that the command accepts besides -s and --timeout.
    std::string_view options = {};
    bool has_duration = false;   // the request has for_ms
    bool is_slow = false;        // healthcheckd answers only after a probe or after reading a file
    std::string_view asks = {};  // the command whose request it sends; empty: its own
    std::string_view usage;      // "pause CAT|PROGRAM [--for 30m]"
    std::string_view help;

    bool names_cats() const { return argument == Argument::cat || argument == Argument::cats; }
};

// All commands, in the order of --help.
std::span<const ControlCommand> control_commands();

// Returns the command of this name, or nullptr.
const ControlCommand* find_command(std::string_view name);

struct ControlRequest {
    const ControlCommand* command = nullptr;  // one whose own request this is (`asks` is empty)
    std::string name = {};                    // for a command that names cats
    std::uint64_t for_ms = 0;                 // for a command with a duration; 0: until resume
};

// Returns the request that `command`, one of control_commands(), sends. Throws std::logic_error for any other
// name.
ControlRequest request_of(std::string_view command, std::string name = {}, std::uint64_t for_ms = 0);

// Returns a writer whose line() is ready to be sent, or empty when the name does not fit.
LineWriter encode(const ControlRequest& m);

// Decodes a line without its newline. Returns false for a line that does not match the grammar or has an
// empty name.
bool decode(std::string_view line, ControlRequest& out);

}  // namespace healthcheckd
