// What a child tells the master: one line on its report descriptor. Every child.
#pragma once

#include "common/wire/channel.h"
#include "common/wire/protocol.h"

namespace healthcheckd {

// `message` of the grammar (common/wire/protocol.h). A master that is gone is learnt by the control channel's end.
template <class Message> void say(const Message& message) {
    (void)write_line(kReportFd, encode(message).line());
}

}  // namespace healthcheckd
