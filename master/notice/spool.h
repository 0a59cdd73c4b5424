// The spool: the files that hold notices and messages until they are delivered. Action and mailer.
//
//   STATEDIR/spool/ID.CHANNEL.pending     a notice whose action is still under way
//   STATEDIR/spool/ID.CHANNEL.notice      a notice that waits to be put into a message
//   STATEDIR/spool/TIME.CHANNEL.message   a message that waits to be delivered
//   STATEDIR/spool/told.json              what was announced (master/mailer/told.h)
//   STATEDIR/dead/                        messages that were given up, with the reason
//
// Both folders belong to the mailer's user and are closed to all others. A file is complete or does not
// exist, also after a power failure. Actions write notices, the mailer everything else.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "master/notice/notice.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

inline constexpr std::size_t kMostSpooled = 1'000;  // notices and messages
inline constexpr std::uint64_t kMostSpooledBytes = 50'000'000;
// A channel may use this many times the room that it leaves free; otherwise a dead channel would take all of
// it.
inline constexpr std::uint64_t kOwnShare = 9;
// For counting what the spool holds, which delays the start of an action.
inline constexpr std::chrono::milliseconds kCountLimit{40};
inline constexpr std::string_view kPendingFile = ".pending";
inline constexpr std::string_view kNoticeFile = ".notice";
inline constexpr std::string_view kMessageFile = ".message";

// Returns the channel for use in file names: "mail", "webhook.NAME".
std::string channel_label(std::string channel);

class Spool {
public:
    explicit Spool(const std::string& state_dir) : dir_(state_dir + "/spool"), dead_(state_dir + "/dead") {}

    // Creates missing folders. Those created by an action belong to root until the next mailer takes them
    // over.
    Result<void> prepare() const;
    // Gives the folders and all files to the mailer's user, whoever owned them before. Returns whether they belong to
    // this user then: where the caller may not give files away, they keep their owner.
    Result<bool> give_to(uid_t uid, gid_t gid) const;

    // Locks the spool for one mailer, until the descriptor is closed. Fails when another one holds the lock,
    // or when the folder cannot be opened.
    Result<UniqueFd> lock() const;
    // Returns whether the folders can be read and written. They cannot when somebody has removed or recreated
    // them while the mailer is confined to the old ones.
    bool usable() const;

    // Writes the pending notices of an action that is about to begin: if healthcheckd ends before the
    // action's result is known, the next run announces that much. Fails with ENOSPC when the spool is full or
    // a channel has used its share, and with ETIMEDOUT when that cannot be determined within `count_limit`.
    Result<void> put_pending(const Incident& incident,
                             std::chrono::milliseconds count_limit = kCountLimit) const;
    // Writes the notice of `incident` for one of its channels, in place of the pending one, whose room it
    // takes. Fails with ENOSPC as put_pending(), and then removes the pending notice, which would
    // announce an unknown result.
    Result<void> put(const Incident& incident, const std::string& channel, const LogTail& log) const;

    // Returns the names of the files that end in `suffix`, sorted, at most twice kMostSpooled.
    std::vector<std::string> list(std::string_view suffix) const;
    Result<std::string> read(const std::string& name) const;
    Result<void> write(const std::string& name, std::string_view text) const;
    Result<void> remove(const std::string& name) const;
    // Removes a notice together with the pending one that its action may have left, so that
    // neither is announced again.
    Result<void> remove_notice(const std::string& notice) const;
    // Removes files that a crash left half-written: they count towards the limits.
    void remove_leftovers() const;
    // Turns a pending notice into one that is to be announced.
    Result<void> release(const std::string& pending) const;

    // Keeps `text` in the folder `dead`. Removes the oldest files there when it is full.
    Result<void> bury(const std::string& name, std::string_view text) const;
    // Moves a file that cannot be read there unchanged.
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
