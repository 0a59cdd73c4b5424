// The lines between the master and the mailer. Both. See protocol.h.
//
// master -> mailer
//   . look
//       there are new notices in the spool
//   . lost count=
//       so many notices could not be spooled
//
// mailer -> master (and `ready`, `broken`)
//   . say level= who= msg=
//       write to the log; level: info, warning or error
//   . mails queued= sent= failed= msg=
//       queued: notices and messages in the spool; sent, failed: messages since the mailer started; msg: why a
//       server rejects us
//   . failed cat=
//       sent at the start for each cat whose failure has been announced
#pragma once

#include "common/wire/protocol.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace healthcheckd {

struct Look {};
struct Lost {
    std::uint64_t count = 0;
};
using MailerCommand = std::variant<Look, Lost>;

struct Say {
    std::string level;
    std::string who;
    std::string text;
};
struct Mails {
    std::uint64_t queued = 0;
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;
    std::string refusal = {};  // why a server rejects us; empty: none does
};
struct StillFailed {
    std::string cat;
};
using MailerLine = std::variant<Ready, Broken, Say, Mails, StillFailed>;

LineWriter encode(const Look& m);
LineWriter encode(const Lost& m);
LineWriter encode(const Say& m);
LineWriter encode(const Mails& m);
LineWriter encode(const StillFailed& m);
bool decode(std::string_view line, MailerCommand& out);
bool decode(std::string_view line, MailerLine& out);

}  // namespace healthcheckd
