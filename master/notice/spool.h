// The spool: what people are to be told lies here, in files, until somebody has taken it. Action and mailer.
//
//   STATEDIR/spool/ID.CHANNEL.pending     a notice whose action is still under way
//   STATEDIR/spool/ID.CHANNEL.notice      a notice that waits to be put into a message
//   STATEDIR/spool/TIME.CHANNEL.message   a message that waits to be delivered
//   STATEDIR/spool/told.json         what was told (master/mailer/told.h)
//   STATEDIR/dead/                   what was given up, with the reason
//
// Both folders belong to the mailer's user, and nobody else may look into them. A file is there whole or not
// at all, also after a power failure. Actions write notices, everything else is the mailer's.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "master/notice/notice.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

inline constexpr std::size_t kMostSpooled = 1'000;  // notices and messages
inline constexpr std::uint64_t kMostSpooledBytes = 50'000'000;
// A channel may have so many times as much as it leaves free, or a dead one would take the room of all.
inline constexpr std::uint64_t kOwnShare = 9;
inline constexpr std::string_view kPendingFile = ".pending";
inline constexpr std::string_view kNoticeFile = ".notice";
inline constexpr std::string_view kMessageFile = ".message";

// A channel in names of files: "mail", "webhook.NAME".
std::string channel_label(std::string channel);

class Spool {
public:
    explicit Spool(const std::string& state_dir) : dir_(state_dir + "/spool"), dead_(state_dir + "/dead") {}

    // Makes the folders where they are missing. By an action they are root's, until the next mailer takes
    // them over.
    Result<void> prepare() const;
    // Run by root: gives the folders and all files to the mailer's user, whoever had them before.
    Result<void> give_to(uid_t uid, gid_t gid) const;

    // The spool for one mailer alone, until the descriptor is closed. Fails when another one has it, or when
    // it cannot be opened.
    Result<UniqueFd> lock() const;
    // Can the folders be read and written? Not when somebody has removed them, or made new ones, while the
    // mailer is confined to the old ones.
    bool usable() const;

    // Keeps the notices of an action that is about to begin: should nobody come back to tell how it ended,
    // the next life of healthcheckd tells that much. Fails with ENOSPC when the spool is full, or when a
    // channel has its share of it; with ETIMEDOUT when that cannot be found out in 40 ms.
    Result<void> put_pending(const Incident& incident) const;
    // Keeps the notice of `incident` for one of its channels, in the place of the pending one, for which
    // there is room already. Fails with ENOSPC as put_pending(); then no pending one is left that would tell
    // of an unknown end.
    Result<void> put(const Incident& incident, const std::string& channel, const LogTail& log) const;

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
    // Moves there what cannot be read, as it is.
    Result<void> put_aside(const std::string& name) const;

    const std::string& dir() const { return dir_; }
    const std::string& dead_dir() const { return dead_; }

private:
    class Load;
    void make_room_for_dead(std::uint64_t bytes) const;

    std::string dir_;
    std::string dead_;
};

}  // namespace healthcheckd::master
