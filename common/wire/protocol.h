// The messages between the processes of healthcheckd: how their grammar is read, and what every child says. Every
// process.
//
// Each child has two channels, at fixed descriptor numbers:
//   kControlFd  unix socket that preserves message boundaries; the master's lines, some with a descriptor attached
//   kReportFd   pipe; the child's lines
// common/wire/line_codec.h defines the form of a line. Each message has all of its keys, in the order of its table.
// End of file on kControlFd means that the master is gone: the child exits. The master learns of a child's
// end from waitid(2), not from the pipe. It ends a child that sends a line outside this grammar.
//
// In the tables, here and in protocol_*.h of each conversation, a line that begins with "." has a kind and its keys;
// the lines below it explain them. `msg` extends to the end of the line. t/docs/test_wire_grammar.cc compares the
// tables with the encoders.
//
// child -> master
//   . ready missing=
//       confined, waiting for work; missing: sandbox layers that this machine lacks, separated by commas
//   . broken msg=
//       the child cannot work and exits; msg: what failed
#pragma once

#include "common/system/child_fds.h"
#include "common/wire/line_codec.h"

#include <string>
#include <string_view>
#include <variant>

namespace healthcheckd {

struct Ready {
    std::string missing;  // sandbox layers that this kernel or user does not have: "landlock,uid"
};
struct Broken {
    std::string message;
};
using ChildLine = std::variant<Ready, Broken>;

// encode() returns a writer whose line() is ready to be sent. decode() takes a line without its newline and
// returns false for a line that does not match the grammar.
LineWriter encode(const Ready& m);
LineWriter encode(const Broken& m);
bool decode(std::string_view line, Ready& out);
bool decode(std::string_view line, Broken& out);
bool decode(std::string_view line, ChildLine& out);

}  // namespace healthcheckd
