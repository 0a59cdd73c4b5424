// Which process a cat with `pidGet: name` or `pidGet: file` is about, looked up at each probe. Worker.
#pragma once

#include "common/config.h"
#include "common/verdict.h"

#include <memory>
#include <string>
#include <string_view>

namespace healthcheckd::worker {

// A process, or why there is none.
struct FoundProcess {
    ProcessId process;
    Verdict verdict = Verdict::idle;  // without a process: idle (none runs) or unknown (not to be trusted)
    std::string why;
};

class PidFinder {
public:
    virtual ~PidFinder() = default;

    // Looks now. Throws std::runtime_error when only a newly confined worker could look
    // (worker/path_watch.h).
    virtual FoundProcess find() = 0;
};

// How a process goes by a name; a later value beats an earlier one.
enum class NameMatch : std::uint8_t {
    none,
    text,  // the command line as a text holds the name
    word,  // a word of the command line, or the last part of its path, is the name
    name,  // the program's name, by comm or by the last part of its path, is the name
};

// `command_line` as in /proc/PID/cmdline, words ended by NUL; words are split at blanks too, as programs
// write titles with blanks there.
NameMatch match_name(std::string_view command_line, std::string_view comm, std::string_view name);

// Is `pid` the process `ancestor` or one of its descendants? False for a process that is gone.
bool in_tree_of(pid_t pid, pid_t ancestor);

// Is /proc mounted with hidepid, so that this user sees only processes of its own (proc(5))? Then a process
// that cannot be seen may still run.
bool processes_hidden();
inline constexpr std::string_view kHidden = "/proc hides the processes of other users (mount option hidepid)";

// The finder for `cat`, none for `pidGet: supervisor` and for a whole machine. `master`: the root of
// healthcheckd's own tree, never found. Before confinement.
//
// By name: among the processes that match best, the one that started first. A program "group:name" is looked
// for by its name. Kernel threads and zombies have no command line and are never found.
std::unique_ptr<PidFinder> make_pid_finder(const CatConfig& cat, pid_t master);

}  // namespace healthcheckd::worker
