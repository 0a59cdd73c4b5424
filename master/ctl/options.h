// The command line of healthcheckctl. healthcheckctl.
#pragma once

#include "common/system/result.h"
#include "common/wire/control.h"

#include <chrono>
#include <optional>
#include <string>

namespace healthcheckd::ctl {

struct Options {
    const ControlCommand* command = nullptr;  // nullptr: help or version was requested
    bool help = false;
    std::string socket = kDefaultSocket;
    std::string name = {};                  // CAT or PROGRAM; empty: none given
    std::uint64_t for_ms = 0;               // pause: 0 means until resumed
    std::chrono::milliseconds every{2000};  // watch
    // For the whole answer; nullopt: the command's default.
    std::optional<std::chrono::milliseconds> timeout = {};
    bool json = false;     // status
    bool failed = false;   // status
    bool dry_run = false;  // test-action
};

// Returns the options, or an error that suggests the nearest valid word.
Result<Options> parse_options(int argc, char** argv);

// Parses "90s", "30m", "2h" or "1d" into milliseconds, from one second to ten years.
Result<std::uint64_t> parse_duration(const std::string& text);

// The text of --help.
std::string usage();

}  // namespace healthcheckd::ctl
