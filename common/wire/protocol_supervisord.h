// The calls to supervisord: the lines between the link and those that call it, and between the link and its
// connector. Master, actions, the link and its connector. See protocol.h.
//
// master or action -> link
//   . call seq= op= name=
//       op: list, info, settings, tail, stop or start; name: "" for list
//   . peer
//       + a descriptor: a socket over which an action sends calls (master only)
//
// link -> master or action (and `ready`, `broken`)
//   . program seq= name= state= pid= start= now= exit= msg=
//       one program; name: "group:name" or "name"; msg: spawnerr
//   . settings seq= startsecs= stopwaitsecs=
//   . text seq= stream= msg=
//       part of the end of a program's log; stream: stderr or stdout, or "file" for the path of a log file that
//       supervisord cannot return
//   . answer seq= code= count= msg=
//       ends the answer to call seq; code: see CallCode; count: number of programs
//
// link -> master
//   . owner uid=
//       the uid of the process that answers as supervisord; sent before the first answer
//   . supervisor seq= pid= listener=
//       which process answers call seq (list): supervisord's own getPID (0: none returned), and the process that
//       listens at its unix socket (0: not visible from here; -1: no such socket)
//
// link -> its connector
//   . reach seq= limit_ms=
//       connect to supervisord's socket, with this timeout
//
// connector -> link
//   . reached seq= error= owner= pid= believed= msg=
//       + the connection, when it may be used; error: errno of connect(2), or 0; owner, pid: uid and pid of the
//       process that listens (0: not visible from here); believed: 1 when it may be supervisord, else 0; msg: why not
#pragma once

#include "common/wire/protocol.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <variant>

namespace healthcheckd {

// The result of a call: 0, a fault number of supervisord (positive), or the reason for no answer (negative).
enum CallCode : int {
    kCallOk = 0,
    kFaultShutdown = 6,         // SHUTDOWN_STATE
    kFaultBadName = 10,         // BAD_NAME
    kFaultNoFile = 20,          // NO_FILE
    kFaultNotExecutable = 21,   // NOT_EXECUTABLE
    kFaultSpawnError = 50,      // SPAWN_ERROR
    kFaultAlreadyStarted = 60,  // ALREADY_STARTED
    kFaultNotRunning = 70,      // NOT_RUNNING
    kCallUnreachable = -1,      // no connection
    kCallTimeout = -2,          // connected, but no answer in time
    kCallRefused = -3,          // HTTP 401 or 403: wrong user or password
    kCallBadAnswer = -4,        // HTTP error, broken or too large answer
    kCallLinkLost = -5,         // the link process ended
};

struct Call {
    std::uint64_t seq = 0;
    std::string op;
    std::string name;
};
struct Peer {};
using LinkCommand = std::variant<Call, Peer>;

// supervisord's process states (supervisor/states.py).
enum ProgramState : int {
    kStopped = 0,
    kStarting = 10,
    kRunning = 20,
    kBackoff = 30,
    kStopping = 40,
    kExited = 100,
    kFatal = 200,
    kUnknownState = 1000,
};
std::string_view program_state_name(int state);

struct ProgramLine {
    std::uint64_t seq = 0;
    // In the form that getProcessInfo takes: "web:web_00", or "web" when group and name are the same.
    std::string name;
    int state = kUnknownState;
    pid_t pid = 0;
    std::int64_t start = 0;  // seconds since the epoch by supervisord's clock; 0: never
    std::int64_t now = 0;
    int exit_status = 0;
    std::string spawn_error;
};
struct SettingsLine {
    std::uint64_t seq = 0;
    std::uint32_t startsecs = 1;
    std::uint32_t stopwaitsecs = 10;
};
struct TextLine {
    std::uint64_t seq = 0;
    std::string stream;
    std::string text;
};
struct AnswerLine {
    std::uint64_t seq = 0;
    int code = kCallOk;
    std::uint64_t count = 0;
    std::string message;
};
struct Owner {
    std::uint32_t uid = 0;
};
inline constexpr pid_t kNoListener = -1;
struct SupervisorLine {
    std::uint64_t seq = 0;
    pid_t pid = 0;  // supervisord's getPID; 0: none returned
    // The process that listens at its unix socket; 0: in a pid namespace that is not visible from here;
    // kNoListener: no unix socket.
    pid_t listener = kNoListener;
};
using LinkLine =
    std::variant<Ready, Broken, ProgramLine, SettingsLine, TextLine, AnswerLine, Owner, SupervisorLine>;

// Returns how long the program's process had run at supervisord's time `now`: always 0 to 30 years, whatever
// the message says.
std::chrono::seconds told_age(const ProgramLine& program);

struct Reach {
    std::uint64_t seq = 0;
    std::uint64_t limit_ms = 0;
};
struct Reached {
    std::uint64_t seq = 0;
    int error = 0;             // errno of connect(2); 0: connected
    std::uint32_t owner = 0;   // uid of the process that listens
    pid_t pid = 0;             // its pid; 0: in a pid namespace that is not visible from here
    bool believed = false;     // the process may be supervisord
    std::string message = {};  // why it may not, unless the owner is the reason
};

LineWriter encode(const Call& m);
LineWriter encode(const Peer& m);
LineWriter encode(const ProgramLine& m);
LineWriter encode(const SettingsLine& m);
LineWriter encode(const TextLine& m);
LineWriter encode(const AnswerLine& m);
LineWriter encode(const Owner& m);
LineWriter encode(const SupervisorLine& m);
LineWriter encode(const Reach& m);
LineWriter encode(const Reached& m);
bool decode(std::string_view line, LinkCommand& out);
bool decode(std::string_view line, LinkLine& out);
bool decode(std::string_view line, Reach& out);
bool decode(std::string_view line, Reached& out);

}  // namespace healthcheckd
