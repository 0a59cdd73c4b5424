// Incidents on their way into the spool: one child at a time, which takes all that wait, in their order.
// Master.
//
// A child that the disk holds up is ended after kLimit, and left behind when that does not end it (Task):
// another one tries in its place. When kMostLeft have been left, everything waits here until one of them is
// gone: then the disk answers again.
#pragma once

#include "master/mailer/mailer.h"
#include "master/notice/incident.h"
#include "master/process/task.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace healthcheckd::master {

// Logs and counts that a channel, one of those of `incident`, will not hear of it.
void record_lost_notice(Mailer& mailer, const Incident& incident, std::size_t channel,
                        const std::string& why);

class NoticeWriter {
public:
    static constexpr std::size_t kMostWaiting = 5'000;

    NoticeWriter(Loop& loop, Spawner& spawner, Mailer& mailer, std::function<Result<UniqueFd>()> open_peer);

    // For an incident that no action spools. One too many is logged and lost.
    void add(Incident incident);
    // Is something of this cat still to be written?
    bool has(const std::string& cat) const;
    // Is nothing left to write?
    bool idle() const { return waiting_.empty() && writing_.empty(); }
    // Logs what was not written; at the end.
    void log_unwritten() const;

private:
    static constexpr std::size_t kBatch = 500;
    static constexpr Milliseconds kRetry{2'000};     // without processes to be had
    static constexpr Milliseconds kLimit{20'000};    // for one incident
    static constexpr Milliseconds kEndLimit{2'000};  // from SIGKILL to the child's end
    static constexpr std::size_t kMostLeft = 3;

    void begin();
    bool on_late();
    // What the child has not said that it wrote waits again, before all that came meanwhile.
    void take_back();
    bool on_line(std::string_view text);
    void on_end(const std::optional<ChildEnd>& end);

    Mailer& mailer_;
    std::function<Result<UniqueFd>()> open_peer_;
    std::deque<Incident> waiting_;
    std::vector<Incident> writing_;
    std::size_t written_ = 0;  // of writing_, in order
    std::size_t channel_ = 0;  // of the one that is being written
    std::uint32_t notices_ = 0;
    bool late_ = false;  // it has been killed for that
    bool hang_said_ = false;
    Timer retry_;
    Task task_;
};

}  // namespace healthcheckd::master
