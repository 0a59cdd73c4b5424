// The lines between the master and a worker. Master and workers. See protocol.h.
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
// worker -> master (and `ready`, `broken`)
//   . success|failure|idle|unknown seq= value= limit= unit= took_us= pid= start= weight= msg=
//       the verdict of probe seq
//   . open pid= start=
//       pidGet name or file: send `track` for this process
//   . rotate
//       the log has reached its maximum size
//   . unlogged msg=
//       the log cannot be written; msg: the reason; sent once
#pragma once

#include "common/wire/protocol.h"
#include "common/wire/verdict.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace healthcheckd {

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
using WorkerLine = std::variant<Ready, Report, OpenRequest, RotateRequest, Unlogged, Broken>;

LineWriter encode(const Track& m);
LineWriter encode(const ProbeCommand& m);
LineWriter encode(const NewLog& m);
LineWriter encode(const Report& m);
LineWriter encode(const OpenRequest& m);
LineWriter encode(const RotateRequest& m);
LineWriter encode(const Unlogged& m);
bool decode(std::string_view line, Command& out);
bool decode(std::string_view line, WorkerLine& out);

}  // namespace healthcheckd
