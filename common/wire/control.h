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
#include <string>
#include <string_view>
#include <variant>

namespace healthcheckd {

// Where healthcheckd listens and healthcheckctl asks, when nobody says otherwise.
inline constexpr char kDefaultSocket[] = "/run/healthcheckd/healthcheckd.sock";

// How long the master keeps a client; longer where it has to wait for a probe or for a file.
inline constexpr std::chrono::seconds kControlLimit{10};
inline constexpr std::chrono::seconds kSlowControlLimit{30};  // check, reload

// The longest pause with an end, ten years: no clock arithmetic overflows by it.
inline constexpr std::uint64_t kLongestPauseMs = 10ULL * 366 * 24 * 3600 * 1000;

struct StatusRequest {};
struct PauseRequest {
    std::string name;
    std::uint64_t for_ms = 0;  // 0: until resumed
};
struct ResumeRequest {
    std::string name;
};
struct CheckRequest {
    std::string name;
};
struct TestActionRequest {
    std::string name;
};
struct ReloadRequest {};
struct HistoryRequest {
    std::string name;
};
using ControlRequest = std::variant<StatusRequest, PauseRequest, ResumeRequest, CheckRequest,
                                    TestActionRequest, ReloadRequest, HistoryRequest>;

// Each encode() gives a writer whose line() is ready to be sent, or empty when the name does not fit.
LineWriter encode(const StatusRequest& m);
LineWriter encode(const PauseRequest& m);
LineWriter encode(const ResumeRequest& m);
LineWriter encode(const CheckRequest& m);
LineWriter encode(const TestActionRequest& m);
LineWriter encode(const ReloadRequest& m);
LineWriter encode(const HistoryRequest& m);
LineWriter encode(const ControlRequest& m);

// Takes a line without its newline; fails on anything that the grammar does not say, and on an empty name.
bool decode(std::string_view line, ControlRequest& out);

}  // namespace healthcheckd
