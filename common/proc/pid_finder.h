// Finds the process of a cat with `pidGet: name` or `pidGet: file` at each probe. Worker and action.
#pragma once

#include "common/config/config.h"
#include "common/wire/verdict.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// A process, or why there is none.
struct FoundProcess {
    ProcessId process;
    Verdict verdict = Verdict::idle;  // without a process: idle (none is running) or unknown (not certain)
    std::string why;
    std::string doubt = {};  // with a process: why it must not be killed; empty: it may
};

// Processes that must not be examined, since examining them has hung.
struct Rest {
    std::chrono::steady_clock::time_point until;
    bool sought;  // it has been found to be the one that is sought: no other one stands for it
};
using LeftOut = std::map<pid_t, Rest>;

class PidFinder {
public:
    virtual ~PidFinder() = default;

    // Finds the process now. Throws std::runtime_error when only a newly confined worker can do it
    // (common/system/path_watch.h).
    FoundProcess find() {
        FoundProcess found = look();
        looks_at(0);
        return found;
    }

    // The group that it needs to have once it is confined.
    virtual std::optional<gid_t> group() const { return std::nullopt; }

    // Marks a process as being examined, by a find() or by whoever measures it, for the lifetime of
    // this object.
    class Look {
    public:
        Look(const PidFinder& finder, pid_t pid) : finder_(finder) { finder_.looks_at(pid); }
        ~Look() { finder_.looks_at(0); }
        Look(const Look&) = delete;
        Look& operator=(const Look&) = delete;

    private:
        const PidFinder& finder_;
    };

    // Sets the user of the process that supervisord has for the program, for the next find(); nullopt:
    // unknown.
    void set_program_user(std::optional<uid_t> user) { program_user_ = user; }

    // `on_look` is called with a process just before a read that may wait for a lock which the process can
    // hold, and with 0 afterwards: it shows at which process find() hangs.
    void set_on_look(std::function<void(pid_t)> on_look) { on_look_ = std::move(on_look); }

    // Sets the processes that are not examined until their time is over.
    void leave_out(LeftOut pids) { left_out_ = std::move(pids); }

protected:
    virtual FoundProcess look() = 0;
    std::optional<uid_t> program_user() const { return program_user_; }
    // Returns the rest that a process still has; nullptr: it may be examined.
    const Rest* left_out(pid_t pid) const {
        const auto found = left_out_.find(pid);
        const bool rests = found != left_out_.end() && std::chrono::steady_clock::now() < found->second.until;
        return rests ? &found->second : nullptr;
    }

private:
    void looks_at(pid_t pid) const {
        if (on_look_)
            on_look_(pid);
    }

    std::optional<uid_t> program_user_;
    std::function<void(pid_t)> on_look_;
    LeftOut left_out_;
};

// How a process matches a name, from weakest to strongest.
enum class NameMatch : std::uint8_t {
    none,
    text,  // the command line contains the name
    comm,  // only the process's short name (comm) equals the name
    word,  // a word of the command line, or its last path component, equals the name
    // The first word does, with or without a colon behind it ("name: title"); or both a word and
    // the short name do: a script.
    name,
};

// `command_line`: from /proc/PID/cmdline, words end with NUL. Words are also split at blanks, which programs
// use in the titles that they set.
NameMatch match_name(std::string_view command_line, std::string_view comm, std::string_view name);

// Returns whether `pid` is `ancestor` or one of its descendants. Returns false when the process has ended.
bool in_tree_of(pid_t pid, pid_t ancestor);

// Returns whether /proc is mounted with hidepid, so that this user sees only its own processes (proc(5)).
// Then a process that is not visible may still be running.
bool processes_hidden();
inline constexpr std::string_view kHidden = "/proc hides the processes of other users (mount option hidepid)";

// Returns the finder for `cat`; nullptr for `pidGet: supervisor` and for a whole machine. `master`: the root of
// healthcheckd's own processes, which are never found. Call before confinement.
//
// By name, it considers processes whose real and effective user is root, the user of this process at the time
// of this call, the program's own (set_program_user) or `pidUser`; among those that match best, it finds the
// one that started first. Of other users' processes it reads only the user and the short name: when no other
// process is found and one of these has the name, the verdict is unknown, and the reason names it. So it is with
// processes in a container (another pid namespace), unless a supervisord outside it has started them. A program
// "group:name" is searched by "name". Kernel threads and zombies have no command line and are never found.
std::unique_ptr<PidFinder> make_pid_finder(const CatConfig& cat, pid_t master);

}  // namespace healthcheckd
