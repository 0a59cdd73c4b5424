// Facts about this machine for mails. Notice and action, mailer.
#pragma once

#include <string>

namespace healthcheckd::master {

// Returns gethostname(2), or "localhost".
std::string host_name();

// Returns the addresses of interfaces that are up, without loopback and link-local ones: "10.0.0.5,
// 2001:db8::5". At most eight; "none" when there is none.
std::string host_addresses();

// Returns "Linux 6.1.0-18-amd64 x86_64" (uname(2)).
std::string host_platform();

}  // namespace healthcheckd::master
