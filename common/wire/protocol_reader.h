// The lines between the master and the process reader. Both. See protocol.h.
//
// master -> process reader
//   . identify seq= pid=
//       look up this process
//   . measure seq= pid= start= file=
//       open /proc/PID/FILE of exactly this process
//   . holds seq= pid= port=
//       does the process listen at this TCP port?
//
// process reader -> master, on kControlFd (`ready` and `broken` on kReportFd)
//   . process seq= start= ppid= inner=
//       answers identify; inner: its pid inside a nested pid namespace, 0: it is in ours
//   . measured seq=
//       + a descriptor; answers measure
//   . held seq= yes=
//       answers holds: 1 or 0
//   . refused seq= error= msg=
//       answers any command; error: an errno value; msg: what failed
#pragma once

#include "common/wire/protocol.h"
#include "common/wire/verdict.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <variant>

namespace healthcheckd {

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

LineWriter encode(const Identify& m);
LineWriter encode(const Measure& m);
LineWriter encode(const Holds& m);
LineWriter encode(const ProcessLine& m);
LineWriter encode(const Measured& m);
LineWriter encode(const Held& m);
LineWriter encode(const Refused& m);
bool decode(std::string_view line, ReaderCommand& out);
bool decode(std::string_view line, ReaderLine& out);

}  // namespace healthcheckd
