// A last check of a command's subject, in the process that then becomes its shell. Action.
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

// The channel between the checking process and its parent: the remark, and a token that only one of them can
// take. The checking process takes it to become the shell, the parent to abandon that process. So a check
// that ends just at its deadline cannot make the command run twice.
class LookChannel {
public:
    static Result<LookChannel> make();

    // Takes the token. Returns false when the other process has it.
    bool take_word() const;

    // Called in the checking process, before it takes the token.
    void tell(std::string_view remark) const;

    // Called in the parent, after the fork.
    void only_listen() { tells_.reset(); }
    struct Outcome {
        bool begun = false;  // the process is, or becomes, the shell
        std::string remark;  // of the check, or why it has none
    };
    // Waits until the checking process becomes the shell or ends, or until `until`; obeys `guard` meanwhile.
    Outcome wait(std::chrono::steady_clock::time_point until, CommandGuard& guard) const;

private:
    bool hear(std::string& remark) const;

    UniqueFd told_, tells_;  // pipe; closed by the shell's execve(2)
    UniqueFd word_;          // eventfd: 1 until it is taken
};

}  // namespace healthcheckd::master
