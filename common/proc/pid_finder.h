// Which process a cat with `pidGet: name` or `pidGet: file` is about, looked up at each probe. Worker and
// action.
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
    Verdict verdict = Verdict::idle;  // without a process: idle (none runs) or unknown (not to be trusted)
    std::string why;
    std::string doubt = {};  // with a process: why it must not be killed; empty: nothing is against it
};

// Processes, and until when nothing of them is to be read.
using LeftOut = std::map<pid_t, std::chrono::steady_clock::time_point>;

class PidFinder {
public:
    virtual ~PidFinder() = default;

    // Looks now. Throws std::runtime_error when only a newly confined worker could look
    // (common/system/path_watch.h).
    FoundProcess find() {
        FoundProcess found = look();
        looks_at(0);
        return found;
    }

    // The group without which it cannot look once it is confined.
    virtual std::optional<gid_t> group() const { return std::nullopt; }

    // The user of the process that supervisord has for the program; nullopt: not known. For the next find().
    void set_program_user(std::optional<uid_t> user) { program_user_ = user; }

    // Called with each process just before anything of it is read that may wait for a lock which the process
    // can hold, and with 0 after it: who hangs in find() is known by it to hang there.
    void set_on_look(std::function<void(pid_t)> on_look) { on_look_ = std::move(on_look); }

    // Processes of which nothing is read until their time is over, since reading has hung there.
    void leave_out(LeftOut pids) { left_out_ = std::move(pids); }

protected:
    virtual FoundProcess look() = 0;
    std::optional<uid_t> program_user() const { return program_user_; }
    // As long as it lives a process is looked at.
    class Look {
    public:
        Look(const PidFinder& finder, pid_t pid) : finder_(finder) { finder_.looks_at(pid); }
        ~Look() { finder_.looks_at(0); }
        Look(const Look&) = delete;
        Look& operator=(const Look&) = delete;

    private:
        const PidFinder& finder_;
    };
    bool left_out(pid_t pid) const {
        const auto found = left_out_.find(pid);
        return found != left_out_.end() && std::chrono::steady_clock::now() < found->second;
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

// How a process goes by a name; a later value beats an earlier one.
enum class NameMatch : std::uint8_t {
    none,
    text,  // the command line as a text holds the name
    comm,  // the process's short name (comm) alone is the name
    word,  // a word of the command line, or the last part of its path, is the name
    name,  // the first word is, with or without a colon behind it ("name: title"); or a word and the short
           // name both are: a script
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
// By name: of the processes whose real and effective user is root, the user that this process runs as here,
// the program's own (set_program_user) or `pidUser`, those that match best, and of them the one that started
// first. Of another user's process nothing is read but who that is and its short name: when nobody else is
// found and one goes by the name, the verdict is unknown, and says so. A program "group:name" is looked for
// by its name. Kernel threads and zombies have no command line and are never found.
std::unique_ptr<PidFinder> make_pid_finder(const CatConfig& cat, pid_t master);

}  // namespace healthcheckd
