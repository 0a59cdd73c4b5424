// The spool: what people are to be told lies here, in files, until somebody has taken it. Action and mailer.
//
//   STATEDIR/spool/ID.K.pending      a notice whose action is still under way
//   STATEDIR/spool/ID.K.notice       a notice that waits to be put into a message
//   STATEDIR/spool/TIME.CHANNEL.message   a message that waits to be delivered
//   STATEDIR/spool/told.json         what was told (master/told.h)
//   STATEDIR/dead/                   what was given up, with the reason
//
// Both folders belong to the mailer's user, and nobody else may look into them. A file is there whole or not
// at all, also after a power failure. Actions write notices, everything else is the mailer's.
#pragma once

#include "common/result.h"
#include "common/unique_fd.h"
#include "master/notice.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

inline constexpr std::size_t kMostSpooled = 1'000;  // notices and messages
inline constexpr std::uint64_t kMostSpooledBytes = 50'000'000;
inline constexpr std::string_view kPendingFile = ".pending";
inline constexpr std::string_view kNoticeFile = ".notice";
inline constexpr std::string_view kMessageFile = ".message";

class Spool {
public:
    explicit Spool(const std::string& state_dir) : dir_(state_dir + "/spool"), dead_(state_dir + "/dead") {}

    // Makes the folders where they are missing and, run by root, gives them to the mailer's user.
    Result<void> prepare() const;

    // The spool for one mailer alone, until the descriptor is closed. Fails when another one has it, or when
    // it cannot be opened.
    Result<UniqueFd> lock() const;
    // Can the folders be read and written? Not when somebody has removed them, or made new ones, while the
    // mailer is confined to the old ones.
    bool usable() const;

    // Keeps the notices of an action that is about to begin: should nobody come back to tell how it ended,
    // the next life of healthcheckd tells that much. Fails with ENOSPC when the spool is full.
    Result<void> put_pending(const Incident& incident) const;
    // Keeps the notices of `incident`, in the place of pending ones. Fails as put_pending().
    Result<void> put(const Incident& incident, const LogTail& log) const;

    // Names of the files that end in `suffix`, sorted, at most twice kMostSpooled.
    std::vector<std::string> list(std::string_view suffix) const;
    Result<std::string> read(const std::string& name) const;
    Result<void> write(const std::string& name, std::string_view text) const;
    Result<void> remove(const std::string& name) const;
    // Removes a notice and what its action may not have come to remove: nothing must be told of it again.
    Result<void> remove_notice(const std::string& notice) const;
    // Removes files that a crash left half-written: they count for how full the spool is.
    void remove_leftovers() const;
    // A pending notice becomes one that is to be told.
    Result<void> release(const std::string& pending) const;

    // Keeps `text` in the folder of what was given up. The oldest files there go when it is full.
    Result<void> bury(const std::string& name, std::string_view text) const;

    const std::string& dir() const { return dir_; }
    const std::string& dead_dir() const { return dead_; }

private:
    Result<void> put_all(const Incident& incident, const LogTail& log, std::string_view suffix) const;
    Result<void> check_room() const;

    std::string dir_;
    std::string dead_;
};

}  // namespace healthcheckd::master
