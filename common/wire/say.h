// A child's messages to the master: one line each on its report descriptor. Every child.
#pragma once

#include "common/wire/channel.h"
#include "common/wire/protocol.h"

namespace healthcheckd {

// Sends `message`, one of common/wire/protocol.h. Ignores errors: a child notices the master's end by end of
// file on its control channel.
template <class Message> void say(const Message& message) {
    (void)write_line(kReportFd, encode(message).line());
}

}  // namespace healthcheckd
