#include "master/mailer/mailer.h"

#include "common/log/log.h"
#include "common/text/printable.h"
#include "common/wire/protocol_mailer.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

constexpr char kWho[] = "mailer";

}  // namespace

Mailer::Mailer(Loop& loop, Spawner& spawner, LayerNotes& layers, std::shared_ptr<const Config> config,
               std::string run_id, std::function<void(const std::string&)> on_still_failed, Pace pace)
    : config_(std::move(config)), run_id_(std::move(run_id)), on_still_failed_(std::move(on_still_failed)),
      pace_(std::move(pace)),
      child_(loop, spawner, layers, {.who = kWho, .ready_limit = pace_.silence, .lines_per_second = 20'000},
             {.spec = [this] { return spec(); },
              .put_off = [this]() -> std::optional<Milliseconds> {
                  return config_->channels.empty() ? std::optional(ChildKeeper::kUntilStart) : std::nullopt;
              },
              .on_line = [this](std::string_view line) { return on_line(line); },
              .on_failed_start =
                  [](const Error& error) { log::error(kWho, "could not be started: {}", error.text()); },
              .on_late = [this] { child_.replace("it said nothing for too long"); },
              .on_replace = [](std::string_view why) { log::warning(kWho, "is replaced: {}", why); },
              .on_loss =
                  [this](const ChildKeeper::Loss& loss) {
                      on_loss(loss);
                  }}) {}

void Mailer::use(std::shared_ptr<const Config> config, bool renew) {
    config_ = std::move(config);
    if (!renew)
        return;
    if (child_.pid() == 0)
        start();
    else
        child_.finish(kFinishLimit);
}

ChildSpec Mailer::spec() {
    ChildSpec spec(children::kMailer);
    spec.main = [config = config_, run_id = run_id_, pace = pace_](pid_t master) {
        return pace.main ? pace.main(master) : run_mailer(*config, run_id, master, pace.look);
    };
    spec.secrets = config_->secrets.get();
    spec.group = SecretStore::kMail;
    return spec;
}

void Mailer::look() {
    // Errors are ignored: a mailer that is still starting scans the spool by itself, and one whose socket is
    // full has a `look` waiting in it.
    (void)child_.send(encode(Look{}).line());
}

void Mailer::stop() {
    stopping_ = true;
    child_.stop();
}

void Mailer::note_lost(std::uint64_t count) {
    before_.failed += count;
    lost_unsent_ += count;
    send_lost();
}

void Mailer::send_lost() {
    if (lost_unsent_ > 0 && child_.ready() && child_.send(encode(Lost{lost_unsent_}).line()))
        lost_unsent_ = 0;
}

bool Mailer::on_line(std::string_view text) {
    MailerLine line;
    if (!decode(text, line)) {
        log::warning(kWho, "it wrote what it must not: {}", printable(text, 200));
        return false;
    }
    if (const auto* ready = std::get_if<Ready>(&line)) {
        child_.take(*ready);
        send_lost();
    } else if (const auto* broken = std::get_if<Broken>(&line)) {
        child_.take(*broken);
    } else if (const auto* say = std::get_if<Say>(&line)) {
        write_log(*say);
    } else if (const auto* mails = std::get_if<Mails>(&line)) {
        now_ = {mails->queued, mails->sent, mails->failed, printable(mails->refusal, 1000)};
        first_ = false;  // it has listed all cats that failed
        send_lost();
    } else if (const auto* failed = std::get_if<StillFailed>(&line)) {
        if (first_)
            on_still_failed_(failed->cat);
    }
    if (child_.ready())
        child_.set_deadline(pace_.silence);
    return true;
}

// Logs under the name of a configured channel or the mailer's own, never under that of a cat.
void Mailer::write_log(const Say& say) {
    if (sayings_.add(Clock::now()) > kSayings) {
        ++unsaid_;
        return;
    }
    if (const auto unsaid = std::exchange(unsaid_, 0); unsaid > 0)
        log::warning(kWho, "wrote {} more lines than a log may get of it in a second", unsaid);
    const bool known = say.who == "spool" || config_->channel(say.who) != nullptr;
    log::write(say.level == "error"     ? log::Level::error
               : say.level == "warning" ? log::Level::warning
                                        : log::Level::info,
               known ? say.who : kWho, say.text);
}

void Mailer::on_loss(const ChildKeeper::Loss& loss) {
    before_.sent += std::exchange(now_.sent, 0);
    before_.failed += std::exchange(now_.failed, 0);
    if (!stopping_ && !loss.asked)
        log::error(kWho, "ended: {}; what is in the spool stays there", loss.why);
}

Mailer::Counters Mailer::counters() const {
    return {now_.queued, before_.sent + now_.sent, before_.failed + now_.failed, now_.refusal};
}

}  // namespace healthcheckd::master
