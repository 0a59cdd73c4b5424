// What the processes of healthcheckd say to each other: the grammar, one encoder and one decoder. Every process.
//
// Each child has two channels, at fixed descriptor numbers:
//   kControlFd  unix socket that keeps message borders; the master's lines, some with a descriptor attached
//   kReportFd   pipe; the child's lines
// common/wire/line_codec.h gives the shape of a line. Keys come in the order below, all of them, each time. End of
// file on kControlFd means that the master is gone: the child ends. The master learns a child's end from
// waitid(2), not from the pipe. A line that does not fit this grammar ends the child that sent it.
//
// A line of the grammar begins with "." and has a kind and its keys; what it means stands below it. `msg` runs to the
// end of the line. t/docs/test_wire_grammar.cc compares this table with the encoders.
//
// master -> worker
//   . track pid= start=
//       + a descriptor of /proc that measures this process; pid=0 and no descriptor: it ended
//   . probe seq= pid= start= restarts= user= state=
//       check now; state: supervisord's word for a program without pid; user: that of the program's process, for
//       pidGet name, -1: not known
//   . log
//       + a descriptor: write the log there from now on
//
// worker -> master
//   . ready missing=
//       confined, waiting for probes; missing: layers that this machine does not have, joined by commas
//   . success|failure|idle|unknown seq= value= limit= unit= took_us= pid= start= weight= msg=
//       the verdict of probe seq
//   . open pid= start=
//       pidGet name or file: send `track` for this process
//   . rotate
//       the log has reached its size
//   . unlogged msg=
//       the log cannot be written, and why; said once
//   . broken msg=
//       it cannot work, and ends itself: what failed
//
// master or action -> link
//   . call seq= op= name=
//       op: list, info, settings, tail, stop or start; name: "" for list
//   . peer
//       + a descriptor: a socket on which an action makes calls (master only)
//
// link -> master or action (and `ready`, `broken` as a worker)
//   . program seq= name= state= pid= start= now= exit= msg=
//       one program, name as group:name or name; msg: spawnerr
//   . settings seq= startsecs= stopwaitsecs=
//   . text seq= stream= msg=
//       a piece of the end of a program's log; stream: stderr or stdout; file: the path of one that supervisord
//       cannot give
//   . answer seq= code= count= msg=
//       ends the answer to call seq; code: see CallCode; count: of programs
//
// link -> master
//   . owner uid=
//       whose process answers as supervisord; before the first answer
//   . supervisor seq= pid= listener=
//       who answers call seq (list): supervisord's word for its own pid (0: it did not say), and the process that
//       listens at its unix socket (0: not to be seen from here; -1: no such socket)
//
// link -> its connector
//   . reach seq= limit_ms=
//       connect to supervisord's socket within that time
//
// connector -> link
//   . reached seq= error= owner= pid= believed= msg=
//       + the connection, when it is one to be used; error: errno of connect(2), or 0; owner, pid: whose process
//       listens, and which (0: not to be seen from here); believed: 1 or 0; msg: why not
//
// action -> master (and `broken` as a worker)
//   . stage limit_ms= msg=
//       what it does now; give it at most this long
//   . output msg=
//       a piece of a command's output
//   . done ok= unfinished= msg=
//       how it ended: ok: 1 or 0; unfinished: 1 when a program was left stopped; msg: a sentence
//   . spooled index= ok= msg=
//       its notices are in the spool, or why not; index: which incident
//
// master -> mailer
//   . look
//       there are new notices in the spool
//   . lost count=
//       so many notices could not be spooled
//
// mailer -> master (and `ready`, `broken` as a worker)
//   . say level= who= msg=
//       for the log; level: info, warning or error
//   . mails queued= sent= failed= msg=
//       in the spool now; messages since it began; msg: who refuses us
//   . failed cat=
//       at its start: people were told that this cat failed
//
// master -> process reader
//   . identify seq= pid=
//       who is that
//   . measure seq= pid= start= file=
//       open /proc/PID/FILE of exactly this process
//   . holds seq= pid= port=
//       has it a socket open that listens at this TCP port?
//
// process reader -> master, on kControlFd (`ready` and `broken` as a worker)
//   . process seq= start= ppid= inner=
//       answers identify; inner: its pid in a pid namespace of its own, 0: it is in ours
//   . measured seq=
//       + a descriptor; answers measure
//   . held seq= yes=
//       answers holds: 1 or 0
//   . refused seq= error= msg=
//       answers each: an errno value, and what was tried
#pragma once

#include "common/system/child_fds.h"
#include "common/wire/line_codec.h"
#include "common/wire/verdict.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace healthcheckd {

// ---- master -> worker

struct Track {
    ProcessId process;
};
inline constexpr std::int64_t kNoUser = -1;
struct ProbeCommand {
    std::uint64_t seq = 0;
    ProcessId process;
    std::uint32_t restarts = 0;  // since the last probe
    std::string state;           // "RUNNING", "FATAL", ...
    // Of the process that supervisord has, where the worker looks for it by name.
    std::int64_t user = kNoUser;
};
struct NewLog {};
using Command = std::variant<Track, ProbeCommand, NewLog>;

// ---- worker -> master

struct Ready {
    std::string missing;  // sandbox layers that this kernel or user does not have: "landlock,uid"
};
struct Report {
    Verdict verdict = Verdict::unknown;
    std::uint64_t seq = 0;
    double value = 0;
    double limit = 0;
    std::string unit;  // "MB", "%", "ms", ...
    std::uint64_t took_us = 0;
    ProcessId process;         // what was measured, if one process was
    std::uint32_t weight = 1;  // failures that this one counts for
    std::string message;
};
struct OpenRequest {
    ProcessId process;
};
struct RotateRequest {};
struct Unlogged {
    std::string message;
};
struct Broken {
    std::string message;
};
using WorkerLine = std::variant<Ready, Report, OpenRequest, RotateRequest, Unlogged, Broken>;

// ---- calls to supervisord

// How a call ended: 0, a fault number of supervisord (positive), or why there was no answer (negative).
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
    std::string name;  // as getProcessInfo takes it: "web:web_00", or "web" when group and name are the same
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
    pid_t pid = 0;                 // as supervisord calls itself (getPID); 0: it did not say
    pid_t listener = kNoListener;  // listens at its unix socket; 0: in a pid namespace that is not seen from
                                   // here; kNoListener: it is not at a unix socket
};
using LinkLine =
    std::variant<Ready, Broken, ProgramLine, SettingsLine, TextLine, AnswerLine, Owner, SupervisorLine>;

// How long the program's process has run at supervisord's `now`, by supervisord's clock: 0 to 30 years,
// whatever the numbers are.
std::chrono::seconds told_age(const ProgramLine& program);

// ---- the link and its connector

struct Reach {
    std::uint64_t seq = 0;
    std::uint64_t limit_ms = 0;
};
struct Reached {
    std::uint64_t seq = 0;
    int error = 0;             // errno of connect(2); 0: connected
    std::uint32_t owner = 0;   // whose process listens
    pid_t pid = 0;             // which; 0: in a pid namespace that is not seen from here
    bool believed = false;     // it is one of those that may be supervisord's
    std::string message = {};  // why it is not, where that is not the owner
};

// ---- action -> master

struct Stage {
    std::uint64_t limit_ms = 0;
    std::string message;
};
struct Output {
    std::string text;
};
struct Done {
    bool ok = false;
    std::string message = {};
    bool unfinished = false;  // a program was stopped and not started again, or may be taken for one
};
struct Spooled {
    std::uint32_t index = 0;
    bool ok = false;
    std::string message;
};
using ActionLine = std::variant<Stage, Output, Done, Spooled, Broken>;

// ---- master and mailer

struct Look {};
struct Lost {
    std::uint64_t count = 0;
};
using MailerCommand = std::variant<Look, Lost>;

struct Say {
    std::string level;
    std::string who;
    std::string text;
};
struct Mails {
    std::uint64_t queued = 0;
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;
    std::string refusal = {};  // why a server refuses us; or empty
};
struct StillFailed {
    std::string cat;
};
using MailerLine = std::variant<Ready, Broken, Say, Mails, StillFailed>;

// ---- master and process reader

struct Identify {
    std::uint64_t seq = 0;
    pid_t pid = 0;
};
struct Measure {
    std::uint64_t seq = 0;
    ProcessId process;
    std::string file;  // "statm", "stat" or "smaps_rollup"
};
struct Holds {
    std::uint64_t seq = 0;
    pid_t pid = 0;
    std::uint16_t port = 0;
};
using ReaderCommand = std::variant<Identify, Measure, Holds>;

struct ProcessLine {
    std::uint64_t seq = 0;
    std::uint64_t start_ticks = 0;
    pid_t ppid = 0;
    pid_t inner = 0;  // its pid in a pid namespace of its own; 0: it is in this one
};
struct Measured {
    std::uint64_t seq = 0;
};
struct Held {
    std::uint64_t seq = 0;
    bool yes = false;
};
struct Refused {
    std::uint64_t seq = 0;
    int error = 0;  // ENOENT, ESRCH: there is no such process
    std::string message;
};
using ReaderLine = std::variant<ProcessLine, Measured, Held, Refused>;

// Each encode() gives a writer whose line() is ready to be sent; each decode takes a line without its newline
// and fails on anything that the grammar does not say.
LineWriter encode(const Track& m);
LineWriter encode(const ProbeCommand& m);
LineWriter encode(const NewLog& m);
LineWriter encode(const Ready& m);
LineWriter encode(const Report& m);
LineWriter encode(const OpenRequest& m);
LineWriter encode(const RotateRequest& m);
LineWriter encode(const Unlogged& m);
LineWriter encode(const Broken& m);
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
LineWriter encode(const Stage& m);
LineWriter encode(const Output& m);
LineWriter encode(const Done& m);
LineWriter encode(const Spooled& m);
LineWriter encode(const Look& m);
LineWriter encode(const Lost& m);
LineWriter encode(const Say& m);
LineWriter encode(const Mails& m);
LineWriter encode(const StillFailed& m);
LineWriter encode(const Identify& m);
LineWriter encode(const Measure& m);
LineWriter encode(const Holds& m);
LineWriter encode(const ProcessLine& m);
LineWriter encode(const Measured& m);
LineWriter encode(const Held& m);
LineWriter encode(const Refused& m);

bool decode(std::string_view line, Command& out);
bool decode(std::string_view line, WorkerLine& out);
bool decode(std::string_view line, LinkCommand& out);
bool decode(std::string_view line, LinkLine& out);
bool decode(std::string_view line, Reach& out);
bool decode(std::string_view line, Reached& out);
bool decode(std::string_view line, ActionLine& out);
bool decode(std::string_view line, MailerCommand& out);
bool decode(std::string_view line, MailerLine& out);
bool decode(std::string_view line, ReaderCommand& out);
bool decode(std::string_view line, ReaderLine& out);

}  // namespace healthcheckd
