// --test-mail: sends one mail and prints the dialogue. Command line.
#pragma once

#include <string>

namespace healthcheckd::master {

// Sends a test mail with the configuration in `file` and prints the dialogue with the server to stdout,
// without the password. Returns the exit status: 0 when the server accepted all recipients, else 1.
int send_test_mail(const std::string& file);

}  // namespace healthcheckd::master
