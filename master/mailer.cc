#include "master/mailer.h"

#include "common/channel.h"
#include "common/protocol.h"
#include "common/sandbox.h"
#include "worker/resolver.h"

#include <spdlog/fmt/fmt.h>
#include <thread>

namespace healthcheckd::master {

namespace {

SandboxProfile profile_of(const MailConfig& mail) {
    SandboxProfile profile;
    profile.name = "mailer";
    profile.inet = true;
    profile.threads = true;  // curl resolves the server's name in one
    profile.open_files = true;
    profile.readable = worker::resolver_files();
    profile.tcp_ports = {static_cast<std::uint16_t>(mail.port), 53};
    return profile;
}

void say(const Done& done) {
    (void)write_line(kReportFd, encode(done).line());
}

}  // namespace

int run_mailer(const Config& config, const MailEvent& event, pid_t master) {
    const MailConfig& mail = *config.mail;
    const MailMessage message = compose_mail(mail, event);
    const worker::Resolver resolver(kMailTryLimit);
    const auto tls = mail_tls(mail);
    if (!tls) {
        say({false, tls.error().text()});
        return 1;
    }
    if (const auto confined = enter_sandbox(profile_of(mail), config.sandbox, master); !confined) {
        say({false, "the mailer could not be confined: " + confined.error().text()});
        return 1;
    }
    MailResult result;
    int tries = 0;
    for (const auto wait : kMailWaits) {
        std::this_thread::sleep_for(wait);
        result = send_mail(mail, message, kMailTryLimit, *tls);
        ++tries;
        if (result.ok || result.permanent)
            break;
        (void)write_line(kReportFd, encode(Stage{0, result.message}).line());
    }
    say({result.ok, fmt::format("{}{}", result.message, tries > 1 ? fmt::format(" (try {})", tries) : "")});
    return result.ok ? 0 : 1;
}

}  // namespace healthcheckd::master
