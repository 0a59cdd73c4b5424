// A firing, or the end of one: what it is about, what was done, and who is told. Master, action and notice.
#pragma once

#include "common/config/config.h"
#include "common/wire/protocol.h"
#include "master/trust/supervisor_owner.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

// A verdict as people are told of it.
struct SeenVerdict {
    std::chrono::system_clock::time_point at;
    std::string verdict;  // "failure"
    double value = 0;
    std::string unit;  // "": there is no value
    std::string message;
};

// Everything that an action needs, as it was when the cat fired. The child gets it by fork.
struct ActionRequest {
    CatConfig cat;  // without its secrets; what goes to the action's child at once has those of the action
    std::string cat_name;  // "cat1", or "cat1/web_00" for a member of a group
    std::string program;   // supervisord's full name, or "system"
    Report evidence;       // the verdict that made the cat fail
    std::uint32_t failures = 0;
    bool of_program = true;          // the evidence is about the process that supervisord has for the program
    std::int64_t program_start = 0;  // supervisord's start time of the measured process, seconds; 0: none
    std::optional<uid_t> program_user =
        {};                       // of the process that supervisord has, where the cat searches by name
    bool of_supervisord = false;  // supervisord has a program of this name
    std::string supervisor_socket = {};    // at which supervisord listens; empty: not at a unix socket
    std::vector<ProcessId> own_line = {};  // healthcheckd's processes, and those above them
    std::uint16_t supervisor_port = 0;     // at which it listens on this machine; 0: not at a port of it
    bool files_are_here = false;           // the paths that supervisord tells are those of this machine
    OwnerRule supervisor_rule = {};        // who may be supervisord
    std::string program_state = {};  // supervisord's word for the program, and why: "EXITED with status 3"
    std::chrono::system_clock::time_point at;
    std::string state_dir;                   // where a restart keeps its record, and the spool is
    std::vector<SeenVerdict> verdicts = {};  // the last five, the newest last
    std::vector<std::string> channels = {};  // who is told: "mail", "webhook:NAME"
    std::string notice_id = {};              // sorts by time, never given twice
    std::string life = {};                   // of this master, for the spool
};

struct ActionResult {
    bool ok = false;
    std::string message;        // one sentence: "stopped (pid 12) and started (pid 15) in 1.2 s"
    std::string output = {};    // exec: the first 4 KiB of what the command wrote
    bool left_stopped = false;  // restart: the program was stopped and could not be started again
};

// What people are told about.
enum class NoticeKind : std::uint8_t {
    failed,
    recovered,
    unmeasurable,  // the check itself does not work
};
struct Incident {
    NoticeKind kind = NoticeKind::failed;
    ActionRequest request;
    const ActionType* action = nullptr;  // nullptr: nothing is done, people are told
    ActionResult result = {};            // of `action`; not used where there is none
};

}  // namespace healthcheckd::master
