// The mailer: owns the spool, tells people over all channels. Mailer.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"

#include <chrono>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

// Between two looks at the spool without the master's word: somebody may have cleared it.
inline constexpr std::chrono::milliseconds kLook{60'000};

class Spool;

// What the mailer may do.
SandboxProfile mailer_profile(const Config& config, const Spool& spool);

// The life of the mailer: makes the spool ready, confines itself, delivers until the master closes its end.
// Says on kReportFd what protocol.h has for it, and how many messages there are at each look. `life`: of the
// master, see Notice. Returns the exit status.
int run_mailer(const Config& config, const std::string& life, pid_t master,
               std::chrono::milliseconds look = kLook) noexcept;

// One test mail by the configuration's mail section, at once and without the spool, confined as the mailer.
// Writes the dialogue to kReportFd as `output` lines and one `done` line. Returns 0 when the mail was taken.
int run_test_mail(const Config& config, pid_t master) noexcept;

}  // namespace healthcheckd::master
