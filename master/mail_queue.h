// Mails on their way: a bounded queue, each delivered by a short-lived child that retries. Master.
#pragma once

#include "common/config.h"
#include "master/mail.h"
#include "master/report_reader.h"
#include "master/spawner.h"

#include <deque>
#include <list>
#include <memory>
#include <string>

namespace healthcheckd::master {

class MailQueue {
public:
    static constexpr std::size_t kMostWaiting = 200;
    static constexpr std::size_t kMostAtOnce = 4;
    struct Counters {
        std::uint64_t sent = 0;
        std::uint64_t failed = 0;
    };

    MailQueue(Loop& loop, Spawner& spawner, std::shared_ptr<const Config> config)
        : loop_(loop), spawner_(spawner), config_(std::move(config)), retry_(loop, [this] { begin(); }) {}
    ~MailQueue();

    // Queues the mail for `event`; waits while no process is to be had. Logged and dropped when there is no
    // mail section or the queue is full. `who` is for the log.
    void add(std::string who, MailEvent event);

    // New mails are not taken, none is begun.
    void stop() { stopping_ = true; }
    std::size_t waiting() const { return queue_.size() + sending_.size(); }
    const Counters& counters() const { return counters_; }
    // Logs what was not delivered, at the end.
    void log_undelivered() const;

private:
    static constexpr Milliseconds kRetry{5'000};  // without processes to be had
    struct Mail {
        std::string who;
        std::shared_ptr<const MailEvent> event;
    };
    struct Sending {
        Mail mail;
        pid_t pid = 0;
        Done outcome;
        UniqueFd control;
        std::unique_ptr<ReportReader> reader;
        std::unique_ptr<Timer> deadline;
    };

    void begin();
    // Fails when no process could be started.
    Result<void> start(const Mail& mail);
    void on_line(Sending& sending, std::string_view text);
    void on_end(std::list<Sending>::iterator sending, const ChildEnd& end);

    Loop& loop_;
    Spawner& spawner_;
    std::shared_ptr<const Config> config_;
    std::deque<Mail> queue_;
    std::list<Sending> sending_;
    Counters counters_;
    bool stopping_ = false;
    Timer retry_;
};

}  // namespace healthcheckd::master
