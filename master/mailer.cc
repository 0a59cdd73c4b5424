#include "master/mailer.h"

#include "common/channel.h"
#include "common/protocol.h"
#include "common/sandbox.h"
#include "common/unique_fd.h"

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
    profile.readable = {
        "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",         "/etc/gai.conf", "/etc/host.conf",
        "/etc/ssl",   "/usr/lib/ssl",     "/usr/share/ca-certificates", "/etc/services"};
    profile.tcp_ports = {static_cast<std::uint16_t>(mail.port), 53};
    return profile;
}

// The configured CA certificates, read while the process may: afterwards it is a user who may not.
Result<std::string> read_ca(const std::string& path) {
    constexpr std::size_t kMostBytes = 4u << 20;
    if (path.empty())
        return std::string();
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd)
        return system_error("mail.caFile " + path);
    std::string text(kMostBytes, '\0');
    const ssize_t n = ::read(fd.get(), text.data(), text.size());
    if (n < 0)
        return system_error("mail.caFile " + path);
    text.resize(static_cast<std::size_t>(n));
    return text;
}

void say(const Done& done) {
    (void)write_line(kReportFd, encode(done).line());
}

}  // namespace

int run_mailer(const Config& config, const MailEvent& event, pid_t master) {
    const MailConfig& mail = *config.mail;
    const MailMessage message = compose_mail(mail, event);
    const auto ca = read_ca(mail.ca_file);
    if (!ca) {
        say({false, ca.error().text()});
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
        result = send_mail(mail, message, kMailTryLimit, *ca);
        ++tries;
        if (result.ok || result.permanent)
            break;
        (void)write_line(kReportFd, encode(Stage{0, result.message}).line());
    }
    say({result.ok, fmt::format("{}{}", result.message, tries > 1 ? fmt::format(" (try {})", tries) : "")});
    return result.ok ? 0 : 1;
}

}  // namespace healthcheckd::master
