// Writes incidents into the spool, through one child at a time, which takes all waiting ones in order.
// Master.
//
// A child that the disk blocks is killed after kLimit and, if that does not end it, abandoned (Task); another
// one tries in its place. After kMostLeft have been abandoned, incidents wait here until one of these
// children has ended, which means that the disk answers again.
#pragma once

#include "master/mailer/incident_queue.h"
#include "master/mailer/mailer.h"
#include "master/notice/incident.h"
#include "master/process/task.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace healthcheckd::master {

// Logs and counts a notice of `incident` that could not be spooled. `channel`: index in its channels.
void record_lost_notice(Mailer& mailer, const Incident& incident, std::size_t channel,
                        const std::string& why);

class NoticeWriter {
public:
    NoticeWriter(Loop& loop, Spawner& spawner, Mailer& mailer, std::function<Result<UniqueFd>()> open_peer);

    // Adds an incident that no action spools (IncidentQueue::add). If too many wait, the incident is logged and lost.
    void add(const Incident& incident);
    // Returns whether an incident of this cat is still to be written.
    bool has(const std::string& cat) const;
    // Returns whether all incidents have been written.
    bool idle() const { return waiting_.empty() && writing_.empty(); }
    // Logs the incidents that were not written; called at the end.
    void log_unwritten() const;

private:
    static constexpr Milliseconds kRetry{2'000};     // when no process can be started
    static constexpr Milliseconds kLimit{20'000};    // for one incident
    static constexpr Milliseconds kEndLimit{2'000};  // from SIGKILL to the child's end
    static constexpr std::size_t kMostLeft = 3;

    void begin();
    bool on_late();
    // Puts what the child has not reported as written back to the front of the queue.
    void take_back();
    bool on_line(std::string_view text);
    void on_end(const std::optional<ChildEnd>& end);

    Mailer& mailer_;
    std::function<Result<UniqueFd>()> open_peer_;
    IncidentQueue waiting_;
    std::vector<Incident> writing_;
    std::size_t written_ = 0;  // of writing_, in order
    std::size_t channel_ = 0;  // index of the channel being written
    std::uint32_t notices_ = 0;
    bool late_ = false;  // the child was killed for being late
    bool hang_said_ = false;
    Timer retry_;
    Task task_;
};

}  // namespace healthcheckd::master
