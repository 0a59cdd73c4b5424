// Incidents on their way into the spool: one child at a time, which takes all that wait, in their order.
// Master.
#pragma once

#include "master/action.h"
#include "master/mailer_process.h"
#include "master/report_reader.h"
#include "master/spawner.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace healthcheckd::master {

// Logs and counts that a channel, one of those of `incident`, will not hear of it.
void lose_one(MailerProcess& mailer, const Incident& incident, std::size_t channel, const std::string& why);

class NoticeWriter {
public:
    static constexpr std::size_t kMostWaiting = 5'000;

    NoticeWriter(Loop& loop, Spawner& spawner, MailerProcess& mailer,
                 std::function<Result<UniqueFd>()> open_peer);
    ~NoticeWriter();

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
    static constexpr Milliseconds kRetry{2'000};   // without processes to be had
    static constexpr Milliseconds kLimit{60'000};  // for one incident

    void begin();
    void on_line(std::string_view text);
    void on_end(const ChildEnd& end);

    Loop& loop_;
    Spawner& spawner_;
    MailerProcess& mailer_;
    std::function<Result<UniqueFd>()> open_peer_;
    std::deque<Incident> waiting_;
    std::vector<Incident> writing_;
    std::size_t written_ = 0;  // of writing_, in order
    std::size_t channel_ = 0;  // of the one that is being written
    std::uint32_t notices_ = 0;
    pid_t pid_ = 0;
    UniqueFd control_;
    std::unique_ptr<ReportReader> reader_;
    Timer retry_;
    Timer deadline_;
};

}  // namespace healthcheckd::master
