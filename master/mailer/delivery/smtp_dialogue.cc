#include "master/mailer/delivery/smtp_dialogue.h"

#include "common/text/mime.h"
#include "common/text/printable.h"

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxAnswer = 300;  // maximum of a server's reply in bytes

std::string_view without_end(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

// "250-..." is continued, "250 ..." is the last line (RFC 5321, 4.2.1).
bool is_last_line(std::string_view line) {
    return line.size() < 4 || line[3] != '-';
}

}  // namespace

void SmtpDialogue::tell(char side, std::string_view line) const {
    if (trace_)
        trace_(std::string(1, side) + ' ' + printable(line, kMaxAnswer));
}

void SmtpDialogue::sent(std::string_view line) {
    line = without_end(line);
    const std::string_view verb = line.substr(0, line.find_first_of(" \r\n"));
    // curl sends QUIT after an error too: only replies before it count.
    over_ = over_ || verb == "QUIT";
    if (over_)
        return tell('>', line);
    answer_.clear();
    recipient_.clear();
    if (verb == "EHLO" || verb == "HELO")
        phase_ = "greeting";
    else if (verb == "STARTTLS")
        phase_ = "STARTTLS";
    else if (verb == "AUTH")
        phase_ = "login";
    else if (verb == "MAIL")
        phase_ = "sender";
    else if (verb == "RCPT") {
        phase_ = "recipient";
        recipient_ = bare_address(line);
    } else if (verb == "DATA")
        phase_ = "message";
    // Any other line continues the phase: the lines of a login.
    if (verb == "AUTH")  // an initial response may follow the mechanism's name
        tell('>', std::string(line.substr(0, line.find(' ', 5))) +
                      (line.find(' ', 5) == std::string_view::npos ? "" : " ********"));
    else
        tell('>', phase_ == "login" ? "********" : line);
}

void SmtpDialogue::received(std::string_view line) {
    line = without_end(line);
    tell('<', line);
    if (over_)
        return;
    answer_ = printable(line, kMaxAnswer);
    if (!recipient_.empty() && (line.starts_with('4') || line.starts_with('5')) && is_last_line(line)) {
        refusals_.push_back({recipient_, answer_, blame_of(phase_, answer_)});
        recipient_.clear();
    }
}

void SmtpDialogue::remark(std::string_view text) {
    tell('*', without_end(text));
}

void SmtpDialogue::tls_record() {
    if (phase_ == kConnection)
        phase_ = kHandshake;
}

}  // namespace healthcheckd::master
