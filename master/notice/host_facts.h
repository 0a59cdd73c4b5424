// What a mail says about this machine. Notice and action, mailer.
#pragma once

#include <string>

namespace healthcheckd::master {

// gethostname(2), or "localhost".
std::string host_name();

// The addresses of interfaces that are up, loopback and link-local ones left out: "10.0.0.5, 2001:db8::5". At
// most eight; "none" without any.
std::string host_addresses();

// "Linux 6.1.0-18-amd64 x86_64" (uname(2)).
std::string host_platform();

}  // namespace healthcheckd::master
