// The mailer: owns the spool and delivers notices over all channels. Mailer.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"

#include <chrono>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

// The spool is scanned at least this often, even without a `look` message: somebody may have removed files.
inline constexpr std::chrono::milliseconds kLook{60'000};

class Spool;

// Returns the privileges of the mailer. `own_user`: it changes to the mailer's user; otherwise it keeps that of the
// caller.
SandboxProfile mailer_profile(const Config& config, const Spool& spool, bool own_user);

// The main function of the mailer: prepares the spool, confines itself, and delivers until the master closes
// its end. Writes the mailer's lines of protocol.h to kReportFd, among them the number of messages at each
// scan. `run_id`: the id of the master's run, see Notice. Returns the exit status.
int run_mailer(const Config& config, const std::string& run_id, pid_t master,
               std::chrono::milliseconds look = kLook) noexcept;

// Sends one test mail with the configuration's mail section, at once, without the spool, and confined as
// the mailer. Writes the dialogue to kReportFd as `output` lines, and one `done` line. Returns 0 when the
// server accepted the mail.
int run_test_mail(const Config& config, pid_t master) noexcept;

}  // namespace healthcheckd::master
