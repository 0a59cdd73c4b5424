// What ps(1) shows for a process. Every process.
#pragma once

#include <string_view>

namespace healthcheckd {

// What the title of every process of healthcheckd begins with.
inline constexpr std::string_view kTitlePrefix = "healthcheckd: ";

// Remembers where the kernel keeps the command line and moves the environment away from behind it, so that a
// title has room. Call once, first thing in main, before threads and before pointers into `environ` are kept.
void init_process_title(int argc, char** argv);

// Sets /proc/self/cmdline, cut to the room there is, and the first 15 bytes of /proc/self/comm (prctl(2),
// PR_SET_NAME). Without init_process_title() only the latter.
void set_process_title(std::string_view title);

}  // namespace healthcheckd
