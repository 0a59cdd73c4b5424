// One mail delivered, with retries, in a process of its own. Mailer.
#pragma once

#include "common/config.h"
#include "master/mail.h"

#include <chrono>
#include <sys/types.h>

namespace healthcheckd::master {

// How long one try may take, and the waits before each: a server that is being restarted is met again, one
// that is gone does not keep the mailer for long.
inline constexpr std::chrono::milliseconds kMailTryLimit{30'000};
inline constexpr std::chrono::milliseconds kMailWaits[] = {
    std::chrono::milliseconds(0), std::chrono::milliseconds(2'000), std::chrono::milliseconds(10'000),
    std::chrono::milliseconds(60'000)};

// The life of a mailer: composes the mail, confines itself, delivers, and says on kReportFd how it went
// (`stage` after a failed try, `done` at the end). Needs config.mail. Returns the exit status.
int run_mailer(const Config& config, const MailEvent& event, pid_t master);

}  // namespace healthcheckd::master
