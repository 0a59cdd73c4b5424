// The lines between the master and its short-lived children. Master and those children. See protocol.h.
//
// action -> master (and `broken`)
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
#pragma once

#include "common/wire/protocol.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace healthcheckd {

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

struct Granted {};
struct Denied {};
using ClaimAnswer = std::variant<Granted, Denied>;

struct LockLine {
    std::string message;  // why the file could not be opened; empty: it is attached
};

LineWriter encode(const Stage& m);
LineWriter encode(const Output& m);
LineWriter encode(const Done& m);
LineWriter encode(const Spooled& m);
LineWriter encode(const Granted& m);
LineWriter encode(const Denied& m);
LineWriter encode(const LockLine& m);
bool decode(std::string_view line, ActionLine& out);
bool decode(std::string_view line, ClaimAnswer& out);
bool decode(std::string_view line, LockLine& out);

}  // namespace healthcheckd
