#include "master/mail_queue.h"

#include "common/log.h"
#include "master/mailer.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

// All tries of one mail, the waits between them, and a margin.
Milliseconds mailer_limit() {
    Milliseconds sum{10'000};
    for (const auto wait : kMailWaits)
        sum += wait + kMailTryLimit;
    return sum;
}

}  // namespace

MailQueue::~MailQueue() {
    for (const Sending& sending : sending_) {
        spawner_.forget(sending.pid);
        spawner_.kill(sending.pid);
    }
}

void MailQueue::add(std::string who, MailEvent event) {
    if (stopping_ || !config_->mail)
        return;
    if (queue_.size() >= kMostWaiting) {
        ++counters_.failed;
        log::error(who, "a mail was dropped: {} others wait already", queue_.size());
        return;
    }
    queue_.push_back({std::move(who), std::make_shared<const MailEvent>(std::move(event))});
    begin();
}

// The mails of one cat go one after the other, so that "resolved" does not overtake "failed".
void MailQueue::begin() {
    const auto held_back = [this](const Mail& mail) {
        return std::any_of(sending_.begin(), sending_.end(), [&](const Sending& sending) {
            return sending.mail.event->request.cat_name == mail.event->request.cat_name;
        });
    };
    while (!stopping_ && sending_.size() < kMostAtOnce) {
        const auto next = std::find_if_not(queue_.begin(), queue_.end(), held_back);
        if (next == queue_.end())
            return;
        if (const auto started = start(*next); !started) {
            log::warning(next->who, "mail waits, no process could be started: {}", started.error().text());
            retry_.start(kRetry);
            return;
        }
        queue_.erase(next);
    }
}

Result<void> MailQueue::start(const Mail& mail) {
    ChildSpec spec;
    spec.title = "healthcheckd: mailer " + mail.event->request.cat_name;
    spec.main = [config = config_, event = mail.event](pid_t master) {
        return run_mailer(*config, *event, master);
    };
    spec.secrets = config_->secrets.get();
    spec.group = SecretStore::kMail;

    const auto sending = sending_.emplace(sending_.end());
    sending->outcome.message = "the mailer ended without a word";
    auto child = spawner_.spawn(spec, [this, sending](const ChildEnd& end) { on_end(sending, end); });
    if (!child) {
        sending_.erase(sending);
        return child.error();
    }
    sending->mail = mail;
    sending->pid = child->pid;
    sending->control = std::move(child->control);
    sending->reader = std::make_unique<ReportReader>(
        loop_, std::move(child->report), ReportReader::Limits{},
        [this, sending](std::string_view text) { on_line(*sending, text); },
        [this, sending](std::string_view) { spawner_.kill(sending->pid); });
    sending->deadline = std::make_unique<Timer>(loop_, [this, sending] {
        sending->outcome = {false, "the mailer did not end in time"};
        spawner_.kill(sending->pid);
    });
    sending->deadline->start(mailer_limit());
    return {};
}

void MailQueue::on_line(Sending& sending, std::string_view text) {
    ActionLine line;
    if (!decode(text, line)) {
        spawner_.kill(sending.pid);
        return;
    }
    if (const auto* failed = std::get_if<Stage>(&line))
        log::warning(sending.mail.who, "mail not sent yet, will be tried again: {}", failed->message);
    else if (const auto* done = std::get_if<Done>(&line))
        sending.outcome = *done;
}

void MailQueue::on_end(std::list<Sending>::iterator sending, const ChildEnd& end) {
    sending->reader->drain();
    const Done& outcome = sending->outcome;
    if (outcome.ok) {
        ++counters_.sent;
        log::info(sending->mail.who, "mail sent: {}", outcome.message);
    } else {
        ++counters_.failed;
        log::error(sending->mail.who, "mail not sent: {} ({})", outcome.message, end.text());
    }
    sending_.erase(sending);
    begin();
}

void MailQueue::log_undelivered() const {
    for (const Sending& sending : sending_)
        log::error(sending.mail.who, "mail not sent: healthcheckd stops");
    for (const Mail& mail : queue_)
        log::error(mail.who, "mail not sent: healthcheckd stops");
}

}  // namespace healthcheckd::master
