// The messages between the processes of healthcheckd: the grammar, one encoder and one decoder. Every
// process.
//
// Each child has two channels, at fixed descriptor numbers:
//   kControlFd  unix socket that preserves message boundaries; the master's lines, some with a descriptor attached
//   kReportFd   pipe; the child's lines
// common/wire/line_codec.h defines the form of a line. Each message has all of its keys, in the order below.
// End of file on kControlFd means that the master is gone: the child exits. The master learns of a child's
// end from waitid(2), not from the pipe. It ends a child that sends a line outside this grammar.
//
// In the table, a line that begins with "." has a kind and its keys; the lines below it explain them. `msg`
// extends to the end of the line. t/docs/test_wire_grammar.cc compares this table with the encoders.
//
// master -> worker
//   . track pid= start=
//       + a descriptor in /proc that measures this process; pid=0 and no descriptor: the process ended
//   . probe seq= pid= start= restarts= user= state=
//       probe now; state: supervisord's word for the state of a program without a pid; user: the uid of the
//       program's process, for pidGet name; -1: unknown
//   . log
//       + a descriptor: write the log to it from now on
//
// master -> nursery
//   . configure
//       + a descriptor: the configuration, as pack_for_workers() writes it
//   . order index= name= program= title= logs= uid= gid= single= missing= left=
//       + the worker's descriptors: its end of the control channel, of the report pipe, and, if it finds its process
//       itself, its look mark. index: of its cat; uid, gid, single, missing: see ChildUser; left: see LeftOut,
//       PID:NS:SOUGHT, separated by commas
//   . fork
//       start all workers that were ordered
//
// nursery -> master
//   . configured
//   . forked pids=
//       the pids of the workers in the order in which they were ordered, separated by commas; negative: the error of
//       fork(2)
//
// worker -> master
//   . ready missing=
//       confined, waiting for probes; missing: sandbox layers that this machine lacks, separated by commas
//   . success|failure|idle|unknown seq= value= limit= unit= took_us= pid= start= weight= msg=
//       the verdict of probe seq
//   . open pid= start=
//       pidGet name or file: send `track` for this process
//   . rotate
//       the log has reached its maximum size
//   . unlogged msg=
//       the log cannot be written; msg: the reason; sent once
//   . broken msg=
//       the worker cannot work and exits; msg: what failed
//
// master or action -> link
//   . call seq= op= name=
//       op: list, info, settings, tail, stop or start; name: "" for list
//   . peer
//       + a descriptor: a socket over which an action sends calls (master only)
//
// link -> master or action (and `ready`, `broken` as a worker)
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
//
// action -> master (and `broken` as a worker)
//   . stage limit_ms= msg=
//       what the action does now, for at most limit_ms
//   . output msg=
//       part of a command's output
//   . done ok= unfinished= msg=
//       the result; ok: 1 or 0; unfinished: 1 when a program was left stopped; msg: a sentence
//   . spooled index= ok= msg=
//       whether the notices of incident `index` are in the spool; msg: why not
//
// master -> the child that finishes restarts
//   . granted
//       nobody else works at the program that its last `stage` named
//   . denied
//       an action works there: it is to be left alone
//
// locks -> master, on kControlFd
//   . lock msg=
//       + a descriptor: the lock file that the next path named; msg: why there is none
//
// master -> mailer
//   . look
//       there are new notices in the spool
//   . lost count=
//       so many notices could not be spooled
//
// mailer -> master (and `ready`, `broken` as a worker)
//   . say level= who= msg=
//       write to the log; level: info, warning or error
//   . mails queued= sent= failed= msg=
//       queued: notices and messages in the spool; sent, failed: messages since the mailer started; msg: why a
//       server rejects us
//   . failed cat=
//       sent at the start for each cat whose failure has been announced
//
// master -> process reader
//   . identify seq= pid=
//       look up this process
//   . measure seq= pid= start= file=
//       open /proc/PID/FILE of exactly this process
//   . holds seq= pid= port=
//       does the process listen at this TCP port?
//
// process reader -> master, on kControlFd (`ready` and `broken` as a worker)
//   . process seq= start= ppid= inner=
//       answers identify; inner: its pid inside a nested pid namespace, 0: it is in ours
//   . measured seq=
//       + a descriptor; answers measure
//   . held seq= yes=
//       answers holds: 1 or 0
//   . refused seq= error= msg=
//       answers any command; error: an errno value; msg: what failed
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
    // The uid of the process that supervisord reports, for workers that find the process by name (pidGet
    // name).
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
    ProcessId process;         // the process measured, for types that measure one
    std::uint32_t weight = 1;  // number of failures that this report stands for
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

// ---- the link and its connector

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
    bool unfinished = false;  // a program was stopped and not started again, or that is uncertain
};
struct Spooled {
    std::uint32_t index = 0;
    bool ok = false;
    std::string message;
};
using ActionLine = std::variant<Stage, Output, Done, Spooled, Broken>;

// ---- master -> the child that finishes restarts

struct Granted {};
struct Denied {};
using ClaimAnswer = std::variant<Granted, Denied>;

// ---- locks -> master

struct LockLine {
    std::string message;  // why the file could not be opened; empty: it is attached
};

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
    std::string refusal = {};  // why a server rejects us; empty: none does
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
    pid_t inner = 0;  // its pid inside a nested pid namespace; 0: it is in ours
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
    int error = 0;  // ENOENT or ESRCH: no such process
    std::string message;
};
using ReaderLine = std::variant<ProcessLine, Measured, Held, Refused>;

// ---- master and nursery

struct Configure {};
struct WorkerOrder {
    std::uint32_t index = 0;
    std::string name;
    std::string program;
    std::string title;
    bool logs = true;
    uid_t uid = 0;
    gid_t gid = 0;
    bool single = false;
    std::string missing;
    struct Left {
        pid_t pid = 0;
        std::uint64_t until_ns = 0;  // CLOCK_MONOTONIC
        bool sought = false;
        friend bool operator==(const Left&, const Left&) = default;
    };
    std::vector<Left> left;
};
struct ForkAll {};
using NurseryCommand = std::variant<Configure, WorkerOrder, ForkAll>;

struct Configured {};
struct ForkedWorkers {
    std::vector<pid_t> pids;
};
using NurseryAnswer = std::variant<Configured, ForkedWorkers, Broken>;

// encode() returns a writer whose line() is ready to be sent. decode() takes a line without its newline and
// returns false for a line that does not match the grammar.
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
LineWriter encode(const Granted& m);
LineWriter encode(const Denied& m);
LineWriter encode(const LockLine& m);
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
LineWriter encode(const Configure& m);
LineWriter encode(const WorkerOrder& m);
LineWriter encode(const ForkAll& m);
LineWriter encode(const Configured& m);
LineWriter encode(const ForkedWorkers& m);

// Of those whose lines may be `broken`: that one alone.
bool decode(std::string_view line, Broken& out);
bool decode(std::string_view line, Command& out);
bool decode(std::string_view line, WorkerLine& out);
bool decode(std::string_view line, LinkCommand& out);
bool decode(std::string_view line, LinkLine& out);
bool decode(std::string_view line, Reach& out);
bool decode(std::string_view line, Reached& out);
bool decode(std::string_view line, ActionLine& out);
bool decode(std::string_view line, ClaimAnswer& out);
bool decode(std::string_view line, LockLine& out);
bool decode(std::string_view line, MailerCommand& out);
bool decode(std::string_view line, MailerLine& out);
bool decode(std::string_view line, ReaderCommand& out);
bool decode(std::string_view line, ReaderLine& out);
bool decode(std::string_view line, NurseryCommand& out);
bool decode(std::string_view line, NurseryAnswer& out);

}  // namespace healthcheckd
