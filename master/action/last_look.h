// What is found out about a command's subject at the last moment, in the process that becomes its shell.
// Action.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <chrono>
#include <string>
#include <string_view>

namespace healthcheckd::master {

class CommandGuard;

struct LastLook {
    std::string value;
    std::string remark;  // one line of at most kMostRemark bytes
};
inline constexpr std::size_t kMostRemark = 500;

// Between the process that looks and its parent: the remark, and a word that only one of them can take. The
// looking process takes it to become the shell, its parent to give that process up. So a look that ends just
// at its deadline does not have the command run twice.
class LookChannel {
public:
    static Result<LookChannel> make();

    // False when the other one has it.
    bool take_word() const;

    // In the looking process: the remark, before the word is taken.
    void tell(std::string_view remark) const;

    // In the parent, after the fork.
    void only_listen() { tells_.reset(); }
    struct Outcome {
        bool begun = false;  // that process is, or becomes, the shell
        std::string remark;  // of the look, or why there is none
    };
    // Waits until the looking process becomes the shell, has ended, or `until` is over; obeys `guard`
    // meanwhile.
    Outcome wait(std::chrono::steady_clock::time_point until, CommandGuard& guard) const;

private:
    bool hear(std::string& remark) const;

    UniqueFd told_, tells_;  // pipe; closed by the shell's execve(2)
    UniqueFd word_;          // eventfd: 1 until it is taken
};

}  // namespace healthcheckd::master
