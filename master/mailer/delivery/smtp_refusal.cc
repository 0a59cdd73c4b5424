#include "master/mailer/delivery/smtp_refusal.h"

#include <algorithm>
#include <initializer_list>

namespace healthcheckd::master {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> all) {
    return std::ranges::find(all, text) != all.end();
}

// Returns "504"; "" when the reply does not begin with a code.
std::string_view code_of(std::string_view answer) {
    const bool code = answer.size() >= 3 && std::ranges::all_of(answer.substr(0, 3), is_digit) &&
                      (answer.size() == 3 || !is_digit(answer[3]));
    return code ? answer.substr(0, 3) : std::string_view{};
}

// Returns where an enhanced code may begin: after the code; after '#' (Cisco ESA); or within
// "(#5.7.1)" at the end (qmail).
std::string_view enhanced_place(std::string_view answer) {
    std::string_view text = answer.substr(4);
    if (const std::size_t open = text.rfind("(#"); open != std::string_view::npos) {
        text.remove_prefix(open + 2);
        return text.substr(0, text.find(')'));
    }
    if (text.starts_with('#'))
        text.remove_prefix(1);
    return text.substr(0, text.find_first_of(" \t"));
}

// Returns "5.5.2", or "" (RFC 2034: class, subject and detail, the last two with up to three digits).
std::string_view enhanced_of(std::string_view answer) {
    if (answer.size() < 5)
        return {};
    const std::string_view text = enhanced_place(answer);
    const std::size_t first = text.find('.');
    const std::size_t second = text.find('.', first + 1);
    const bool shaped = first == 1 && second != std::string_view::npos && second > 2 && second <= 5 &&
                        text.size() > second + 1 && text.size() <= second + 4 &&
                        std::ranges::all_of(text, [](char c) { return c == '.' || is_digit(c); }) &&
                        std::ranges::count(text, '.') == 2 && text[0] == answer[0];
    return shaped ? text : std::string_view{};
}

// Returns "5" for "5.5.2".
std::string_view subject_of(std::string_view enhanced) {
    return enhanced.empty() ? enhanced : enhanced.substr(2, enhanced.find('.', 2) - 2);
}

// Returns whether the code is about the client or the session, never about one mail.
bool speaks_of_us(std::string_view code) {
    return one_of(code, {"503", "504", "521", "530", "535"});
}

Blame at_sender(std::string_view code, std::string_view enhanced) {
    // Too large, or with unsupported content (x.6.x): SIZE and BODY are parameters of MAIL FROM.
    const bool the_mail = subject_of(enhanced) == "6" || enhanced == "5.3.4" || code == "552";
    return the_mail ? Blame::message : Blame::us;
}

Blame at_recipient(std::string_view code, std::string_view enhanced) {
    const std::string_view subject = subject_of(enhanced);
    // Servers check the sender at RCPT too: 5.1.7 and 5.1.8 are about the sender's address (RFC 3463, 3.2).
    if (one_of(subject, {"5", "7"}) || one_of(enhanced, {"5.1.7", "5.1.8"}))
        return Blame::us;
    if (one_of(subject, {"1", "2"}) || one_of(code, {"550", "551", "553"}))
        return Blame::recipient;
    // A full mailbox, or too many recipients (RFC 5321, 4.2.3 and 4.5.3.1.10): temporary.
    return code == "552" ? Blame::later : Blame::us;
}

}  // namespace

Blame blame_of(std::string_view phase, std::string_view answer) {
    const std::string_view code = code_of(answer);
    if (!code.starts_with('5'))
        return Blame::later;
    const std::string_view enhanced = enhanced_of(answer);
    if (phase == "sender")
        return at_sender(code, enhanced);
    if (phase == "recipient")
        return at_recipient(code, enhanced);
    if (phase == "message")
        return speaks_of_us(code) ? Blame::us : Blame::message;
    return Blame::us;
}

std::string codes_of(std::string_view answer) {
    std::string codes(code_of(answer));
    if (const std::string_view enhanced = enhanced_of(answer); !enhanced.empty())
        codes.append(" ").append(enhanced);
    return codes;
}

}  // namespace healthcheckd::master
