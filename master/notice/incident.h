// A firing or its end: the evidence, the action and its result, and the recipients. Master, action and
// notice.
#pragma once

#include "common/config/config.h"
#include "common/wire/protocol_worker.h"
#include "master/trust/supervisor_owner.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

// A verdict for notices and for the memory.
struct SeenVerdict {
    std::chrono::system_clock::time_point at;
    std::string verdict;  // "failure"
    double value = 0;
    std::string unit;  // "": no value
    std::string message;
};

// Everything that an action needs, as it was when the cat fired. The child has it by fork.
struct ActionRequest {
    CatConfig cat;  // without secrets, except for the action's own child, which has those of the action
    std::string cat_name;  // "cat1", or "cat1/web_00" for a member of a group
    std::string program;   // supervisord's full name, or "system"
    Report evidence;       // the verdict that fired
    std::uint32_t failures = 0;
    bool of_program = true;          // the evidence is about the process that supervisord has for the program
    std::int64_t program_start = 0;  // supervisord's start time of the measured process, seconds; 0: none
    // Of the process that supervisord has, for a cat that searches by name.
    std::optional<uid_t> program_user = {};
    bool of_supervisord = false;  // supervisord has a program of this name
    // At which supervisord listens; empty: it does not listen at a unix socket.
    std::string supervisor_socket = {};
    std::vector<ProcessId> own_line = {};  // healthcheckd's processes and their ancestors
    std::uint16_t supervisor_port = 0;     // at which it listens on this machine; 0: not at a local port
    bool files_are_here = false;           // the paths that supervisord reports are paths on this machine
    OwnerRule supervisor_rule = {};        // who may be supervisord
    // Supervisord's state of the program, with the reason: "EXITED with status 3".
    std::string program_state = {};
    std::chrono::system_clock::time_point at;
    std::string state_dir;                   // contains the records of restarts, and the spool
    std::vector<SeenVerdict> verdicts = {};  // the last five, the newest last
    std::vector<std::string> channels = {};  // the recipients: "mail", "webhook:NAME"
    std::string notice_id = {};              // sorts by time; unique
    std::string run_id = {};                 // the id of the master's run, for the spool
};

struct ActionResult {
    bool ok = false;
    std::string message;        // one sentence: "stopped (pid 12) and started (pid 15) in 1.2 s"
    std::string output = {};    // exec: the first 4 KiB of the command's output
    bool left_stopped = false;  // restart: the program was stopped and could not be started again
};

// The kinds of notices.
enum class NoticeKind : std::uint8_t {
    failed,
    recovered,
    unmeasurable,  // the check itself does not work
};
struct Incident {
    NoticeKind kind = NoticeKind::failed;
    ActionRequest request;
    const ActionType* action = nullptr;  // nullptr: only announced
    ActionResult result = {};            // of `action`; unused without one
};

}  // namespace healthcheckd::master
