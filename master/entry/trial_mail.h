// --test-mail: one mail, and what was said about it. Command line.
#pragma once

#include <string>

namespace healthcheckd::master {

// Sends a test mail by the configuration in `file` and prints the dialogue with the server to stdout, without
// the password. Returns the exit status: 0 when the server took it for every recipient, else 1.
int send_test_mail(const std::string& file);

}  // namespace healthcheckd::master
