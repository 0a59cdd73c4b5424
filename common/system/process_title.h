// The title of a process, which ps(1) shows. Every process.
#pragma once

#include <string_view>

namespace healthcheckd {

// The prefix of all titles of healthcheckd.
inline constexpr std::string_view kTitlePrefix = "healthcheckd: ";

// Remembers where the kernel keeps the command line, and moves the environment from behind it to make room
// for a title. Call once, first thing in main(), before there are threads or pointers into `environ`.
void init_process_title(int argc, char** argv);

// Sets /proc/self/cmdline, truncated to the room there is, and the first 15 bytes of /proc/self/comm
// (prctl(2), PR_SET_NAME). Without init_process_title(), sets only the latter.
void set_process_title(std::string_view title);

}  // namespace healthcheckd
