#include "master/mailer/mailer_child.h"

#include "common/config/channels.h"
#include "common/net/libcurl.h"
#include "common/net/resolver.h"
#include "common/sandbox/child_kinds.h"
#include "common/sandbox/powers.h"
#include "common/sandbox/sandbox.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_mailer.h"
#include "common/wire/protocol_task.h"
#include "common/wire/say.h"
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/outbox.h"
#include "master/mailer/text/mail.h"

#include <algorithm>
#include <map>
#include <spdlog/fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

using std::chrono::system_clock;

// Timeout for deliveries under way after the master has closed its end; the master waits slightly longer. A
// message that a server has received but not confirmed would be sent again by the next mailer.
constexpr std::chrono::milliseconds kFinishLimit = kTryLimit;

// Maximum for the mailer's user, threads included: one for each mail being delivered, and one for each name
// lookup.
constexpr rlim_t kMostTasks = 1024;

// The certificates of each channel; a channel is missing when loading them failed.
using Trust = std::map<std::string, TlsClient>;

Trust load_trust(const Config& config) {
    Trust trust;
    const auto add = [&](const std::string& channel, Result<TlsClient> tls) {
        if (tls)
            trust.emplace(channel, std::move(*tls));
        else
            say(Say{"error", channel, tls.error().text()});
    };
    for (const ChannelConfig& each : config.channels)
        add(each.label(), each.kind->trust(each));
    return trust;
}

class MailerChild {
public:
    MailerChild(const Config& config, const Spool& spool, const std::string& run_id, const Trust& trust,
                std::chrono::milliseconds look)
        : config_(config), spool_(spool), trust_(trust), look_(look),
          outbox_(config, spool, run_id, [](Weight weight, const auto& who, const auto& text) {
              say(Say{weight == Weight::error     ? "error"
                      : weight == Weight::warning ? "warning"
                                                  : "info",
                      who, text});
          }) {}

    int run();

private:
    bool take_orders();
    void begin_due();
    void go_on();
    void look_at_spool();
    void tell_counters();
    void wait();
    void finish();
    std::unique_ptr<Delivery> deliver(const Outbox::Message& message) const;

    const Config& config_;
    const Spool& spool_;
    const Trust& trust_;
    const std::chrono::milliseconds look_;
    Outbox outbox_;
    std::map<Outbox::Message*, std::unique_ptr<Delivery>> deliveries_;
    std::optional<Outbox::Counters> told_;
    system_clock::time_point looked_{};
};

std::unique_ptr<Delivery> MailerChild::deliver(const Outbox::Message& message) const {
    const auto tls = trust_.find(message.channel);
    if (tls == trust_.end())
        return nullptr;
    const ChannelConfig* channel = config_.channel(message.channel);
    return channel == nullptr ? nullptr : channel->kind->deliver(*channel, message, tls->second);
}

// Reports its counters each time, changed or not: the master replaces a mailer that is silent for long.
void MailerChild::look_at_spool() {
    if (!spool_.usable())
        throw std::runtime_error("the spool was taken away");
    outbox_.scan();
    told_.reset();
}

// Handles the master's messages. Returns false when the master is gone.
bool MailerChild::take_orders() {
    for (;;) {
        auto packet = receive_packet_now(kControlFd);
        if (!packet)
            return packet.error().code == EAGAIN;
        if (!*packet)
            return false;
        MailerCommand command;
        if (!decode((*packet)->line, command))
            throw std::runtime_error("the master's line is not understood");
        if (const auto* lost = std::get_if<Lost>(&command))
            outbox_.note_lost(lost->count);
        looked_ = {};
    }
}

// An exception in one delivery must not end the mailer: the other messages would wait for ever.
DeliveryResult broken_off(const std::exception& failure) {
    return {.message = "the delivery broke off: " + printable(failure.what(), 200)};
}

void MailerChild::begin_due() {
    for (Outbox::Message* message : outbox_.due(system_clock::now())) {
        DeliveryResult failed{.message = "its certificates could not be read; see the start of the log",
                              .exceptions = {},
                              .concerns_channel = true,
                              .retry_slowly = true};
        try {
            if (auto delivery = deliver(*message)) {
                deliveries_[message] = std::move(delivery);
                continue;
            }
        } catch (const std::exception& failure) {
            failed = broken_off(failure);
        }
        outbox_.report(*message, failed, system_clock::now());
    }
}

std::optional<DeliveryResult> step_of(Delivery& delivery) {
    try {
        return delivery.step();
    } catch (const std::exception& failure) {
        return broken_off(failure);
    }
}

void MailerChild::go_on() {
    for (auto at = deliveries_.begin(); at != deliveries_.end();) {
        const auto result = step_of(*at->second);
        if (!result) {
            ++at;
            continue;
        }
        Outbox::Message* message = at->first;
        at = deliveries_.erase(at);
        outbox_.report(*message, *result, system_clock::now());
    }
}

void MailerChild::tell_counters() {
    const Outbox::Counters now = outbox_.counters();
    if (told_ == now)
        return;
    told_ = now;
    say(Mails{now.waiting, now.sent, now.failed, now.trouble});
}

void MailerChild::wait() {
    Watch watch;
    watch.reading(kControlFd);
    const auto now = system_clock::now();
    watch.limit(std::chrono::ceil<std::chrono::milliseconds>(std::clamp<system_clock::duration>(
        outbox_.next_wake(now) - now, std::chrono::milliseconds(0), look_)));
    for (const auto& [message, delivery] : deliveries_)
        delivery->watch(watch);
    watch.wait();
}

// Completes the deliveries under way when the master ends: a message aborted now might be sent twice.
void MailerChild::finish() {
    const auto deadline = std::chrono::steady_clock::now() + kFinishLimit;
    while (!deliveries_.empty() && std::chrono::steady_clock::now() < deadline) {
        go_on();
        Watch watch;
        watch.limit(std::chrono::milliseconds(50));
        for (const auto& [message, delivery] : deliveries_)
            delivery->watch(watch);
        watch.wait();
    }
    tell_counters();
}

int MailerChild::run() {
    outbox_.load(system_clock::now());
    for (const std::string& cat : outbox_.failed_cats())
        say(StillFailed{cat});
    for (;;) {
        if (!take_orders()) {
            finish();
            return 0;
        }
        if (const auto now = system_clock::now(); now - looked_ >= look_ || now < looked_) {
            looked_ = now;
            look_at_spool();
        }
        begin_due();
        go_on();
        tell_counters();
        wait();
    }
}

int fail(const std::string& why) {
    say(Broken{why});
    return 1;
}

// Names the owner of the spool when it is another one than this process's user: an earlier start may have had more
// rights.
int fail_at_spool(const Spool& spool, const std::string& what) {
    std::string why = "the spool cannot be used: " + what;
    struct stat status {};
    if (::stat(spool.dir().c_str(), &status) == 0 && status.st_uid != ::geteuid())
        why += fmt::format("; it belongs to uid {}: chown -R {} {} {}, or let healthcheckd have CAP_CHOWN, "
                           "CAP_DAC_OVERRIDE, CAP_KILL, CAP_SETGID and CAP_SETUID",
                           status.st_uid, ::geteuid(), spool.dir(), spool.dead_dir());
    return fail(why);
}

int mailer_main(const Config& config, const std::string& run_id, pid_t master,
                std::chrono::milliseconds look) {
    libcurl();  // loaded before confinement
    const Spool spool(config.state_dir);
    if (const auto ready = spool.prepare(); !ready)
        return fail_at_spool(spool, ready.error().text());
    const auto given = spool.give_to(config.mailer_uid, config.mailer_gid);
    if (!given)
        return fail_at_spool(spool, given.error().text());
    const auto lock = spool.lock();
    if (!lock)
        return fail_at_spool(spool, lock.error().text());
    const Resolver resolver(kTryLimit);
    const Trust trust = load_trust(config);
    const auto confined = enter_sandbox(mailer_profile(config, spool, *given), config.sandbox, master);
    if (!confined)
        return fail("it could not be confined: " + confined.error().text());
    if (!spool.usable())
        return fail_at_spool(spool, "open " + spool.dir() + ": Permission denied");
    say(Ready{fmt::format("{}", fmt::join(*confined, ","))});
    return MailerChild(config, spool, run_id, trust, look).run();
}

Telling test_telling() {
    Telling telling;
    Notice& notice = telling.notice;
    ActionRequest request;
    request.at = system_clock::now();
    notice = make_notice({NoticeKind::failed, std::move(request), nullptr, {}}, "mail", {});
    notice.program = "healthcheckd";
    notice.cat = "--test-mail";
    notice.type = "test";
    notice.message = "this is a test: mail about failures arrives here";
    return telling;
}

int test_life(const Config& config, pid_t master) {
    libcurl();  // loaded before confinement
    const Resolver resolver(kTryLimit);
    const MailConfig& settings = *config.first_channel<MailConfig>();
    const auto tls = mail_tls(settings);
    if (!tls) {
        say(Done{false, tls.error().text()});
        return 1;
    }
    SandboxProfile profile = mailer_profile(config, Spool(config.state_dir), may_change_users());
    profile.writable.clear();
    if (const auto confined = enter_sandbox(profile, config.sandbox, master); !confined) {
        say(Done{false, "the mailer could not be confined: " + confined.error().text()});
        return 1;
    }
    MailMessage mail = compose_mail(settings, {test_telling()}, 0);
    SpoolMessage message;
    message.text = std::move(mail.text);
    message.sender = std::move(mail.sender);
    message.recipients = std::move(mail.recipients);
    const auto delivery =
        deliver_mail(settings, message, *tls, kTryLimit, [](const std::string& line) { say(Output{line}); });
    std::optional<DeliveryResult> result;
    while (!(result = delivery->step())) {
        Watch watch;
        delivery->watch(watch);
        watch.wait();
    }
    const bool all = result->outcome == Outcome::sent && result->exceptions.empty();
    std::string text = result->message;
    for (const RecipientOutcome& each : result->exceptions)
        text += "; " + each.address + ": " + each.answer;
    say(Done{all, text});
    return all ? 0 : 1;
}

}  // namespace

SandboxProfile mailer_profile(const Config& config, const Spool& spool, bool own_user) {
    SandboxProfile profile = profile_of(children::kMailer);
    profile.uid = own_user ? config.mailer_uid : ::geteuid();
    profile.gid = own_user ? config.mailer_gid : ::getegid();
    // The limit counts all processes of the user.
    if (own_user && config.mailer_uid != kNobody)
        profile.tasks = kMostTasks;
    profile.readable = resolver_files();
    profile.writable = {spool.dir(), spool.dead_dir()};
    profile.tcp_ports = {kDnsPort};
    for (const ChannelConfig& each : config.channels)
        for (const std::uint16_t port : each.kind->ports(each))
            profile.tcp_ports.push_back(port);
    return profile;
}

int run_mailer(const Config& config, const std::string& run_id, pid_t master,
               std::chrono::milliseconds look) noexcept {
    try {
        return mailer_main(config, run_id, master, look);
    } catch (const std::exception& failure) {
        return fail(printable(failure.what()));
    }
}

int run_test_mail(const Config& config, pid_t master) noexcept {
    try {
        return test_life(config, master);
    } catch (const std::exception& failure) {
        say(Done{false, printable(failure.what())});
        return 1;
    }
}

}  // namespace healthcheckd::master
