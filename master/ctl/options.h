// The command line of healthcheckctl. healthcheckctl.
#pragma once

#include "common/system/result.h"
#include "common/wire/control.h"

#include <chrono>
#include <optional>
#include <string>

namespace healthcheckd::ctl {

struct Options {
    const ControlCommand* command = nullptr;  // nullptr: help or version was asked for
    bool help = false;
    std::string socket = kDefaultSocket;
    std::string name = {};                                  // CAT or PROGRAM; empty where none was given
    std::uint64_t for_ms = 0;                               // pause: 0 until resumed
    std::chrono::milliseconds every{2000};                  // watch
    std::optional<std::chrono::milliseconds> timeout = {};  // for a whole answer; nullopt: by the command
    bool json = false;                                      // status
    bool dry_run = false;                                   // test-action
};

// What was asked for, or what was wrong with it, with the nearest thing that would have been right.
Result<Options> parse_options(int argc, char** argv);

// "90s", "30m", "2h" or "1d" in milliseconds, from one second to ten years.
Result<std::uint64_t> parse_duration(const std::string& text);

// The text of --help.
std::string usage();

}  // namespace healthcheckd::ctl
