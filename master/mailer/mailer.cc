#include "master/mailer/mailer.h"

#include "common/log/log.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"
#include "common/wire/protocol.h"

#include <algorithm>

namespace healthcheckd::master {

Mailer::Mailer(Loop& loop, Spawner& spawner, LayerNotes& layers, std::shared_ptr<const Config> config,
               std::string life, std::function<void(const std::string&)> on_still_failed, Pace pace)
    : loop_(loop), spawner_(spawner), layers_(layers), config_(std::move(config)), life_(std::move(life)),
      on_still_failed_(std::move(on_still_failed)), pace_(pace), spawn_timer_(loop, [this] { spawn(); }),
      silence_(loop, [this] { replace("it said nothing for too long"); }) {}

Mailer::~Mailer() {
    if (child_) {
        spawner_.forget(child_->pid);
        spawner_.kill(child_->pid);
    }
}

void Mailer::start() {
    if (!config_->channels.empty())
        spawn();
}

void Mailer::use(std::shared_ptr<const Config> config, bool renew) {
    config_ = std::move(config);
    if (!renew)
        return;
    if (!child_) {
        spawn_timer_.stop();
        start();
        return;
    }
    renewing_ = true;
    ready_ = false;
    child_->control.reset();
    silence_.start(kFinishLimit);
}

void Mailer::spawn() {
    if (stopping_)
        return;
    ChildSpec spec;
    spec.title = "healthcheckd: mailer";
    spec.main = [config = config_, life = life_, pace = pace_](pid_t master) {
        return pace.life ? pace.life(master) : run_mailer(*config, life, master, pace.look);
    };
    spec.secrets = config_->secrets.get();
    spec.group = SecretStore::kMail;
    backoff_.on_start(Clock::now());
    broken_.clear();
    ready_ = false;
    auto child = spawner_.spawn(spec, [this](const ChildEnd& end) { on_end(end); });
    if (!child) {
        log::error("mailer", "could not be started: {}", child.error().text());
        spawn_timer_.start(std::max(backoff_.on_end(Clock::now()), Backoff::kFirst));
        return;
    }
    child_ = std::move(*child);
    reader_ = std::make_unique<ReportReader>(
        spawner_.reports(), std::move(child_->report), ReportReader::Limits{.lines_per_second = 20'000},
        [this](std::string_view line) { on_line(line); }, [this](std::string_view why) { replace(why); });
    silence_.start(pace_.silence);
}

void Mailer::look() {
    // One that is not up yet looks by itself; one that is behind has a look waiting already.
    if (child_ && child_->control)
        (void)send_packet(child_->control.get(), encode(Look{}).line());
}

void Mailer::stop() {
    stopping_ = true;
    spawn_timer_.stop();
    if (child_)
        child_->control.reset();
}

void Mailer::note_lost(std::uint64_t count) {
    before_.failed += count;
    lost_unsent_ += count;
    send_lost();
}

void Mailer::send_lost() {
    if (lost_unsent_ > 0 && ready_ && send_packet(child_->control.get(), encode(Lost{lost_unsent_}).line()))
        lost_unsent_ = 0;
}

void Mailer::on_line(std::string_view text) {
    MailerLine line;
    if (!decode(text, line)) {
        log::warning("mailer", "it wrote what it must not: {}", printable(text, 200));
        return replace("it broke the protocol");
    }
    if (!renewing_)
        silence_.start(pace_.silence);
    if (const auto* ready = std::get_if<Ready>(&line)) {
        if (ready_)
            return replace("it said twice that it is ready");
        layers_.note("mailer", ready->missing);
        ready_ = true;
        send_lost();
    } else if (const auto* broken = std::get_if<Broken>(&line)) {
        broken_ = broken->message;
    } else if (const auto* say = std::get_if<Say>(&line)) {
        write_log(*say);
    } else if (const auto* mails = std::get_if<Mails>(&line)) {
        now_ = {mails->queued, mails->sent, mails->failed, printable(mails->refusal, 1000)};
        first_ = false;  // it has named all that failed
        send_lost();
    } else if (const auto* failed = std::get_if<StillFailed>(&line)) {
        if (first_)
            on_still_failed_(failed->cat);
    }
}

// Under the name of a channel of the configuration, or its own: never under that of a cat.
void Mailer::write_log(const Say& say) {
    if (sayings_.add(Clock::now()) > kSayings) {
        ++unsaid_;
        return;
    }
    if (const auto unsaid = std::exchange(unsaid_, 0); unsaid > 0)
        log::warning("mailer", "wrote {} more lines than a log may get of it in a second", unsaid);
    const bool known = say.who == "spool" || config_->channel(say.who) != nullptr;
    log::write(say.level == "error"     ? log::Level::error
               : say.level == "warning" ? log::Level::warning
                                        : log::Level::info,
               known ? say.who : "mailer", say.text);
}

void Mailer::replace(std::string_view why) {
    log::warning("mailer", "is replaced: {}", why);
    if (reader_)
        reader_->stop();
    silence_.stop();
    if (child_)
        spawner_.kill(child_->pid);
}

void Mailer::on_end(const ChildEnd& end) {
    reader_->drain();
    reader_.reset();
    child_.reset();
    silence_.stop();
    ready_ = false;
    before_.sent += std::exchange(now_.sent, 0);
    before_.failed += std::exchange(now_.failed, 0);
    if (stopping_)
        return;
    if (std::exchange(renewing_, false))
        return start();
    log::error("mailer", "ended: {}; what is in the spool stays there",
               broken_.empty() ? end.text() : broken_);
    spawn_timer_.start(backoff_.on_end(Clock::now()));
}

Mailer::Counters Mailer::counters() const {
    return {now_.queued, before_.sent + now_.sent, before_.failed + now_.failed, now_.refusal};
}

}  // namespace healthcheckd::master
