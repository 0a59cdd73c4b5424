// Text in the form that mail asks for (RFC 5322, 2045, 2047). Mailer and link.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

// Base64 in one line (RFC 4648).
std::string base64(std::string_view bytes);

// One header field with its CRLF. Text that is not plain ASCII becomes encoded words; control bytes, CR and
// LF among them, become blanks first and bytes that are not UTF-8 question marks, so that no text can end the
// field. Folded at 78 columns where it has blanks.
std::string header(std::string_view name, std::string_view text);

// A field of addresses, one a line. Each is as bare_address() gives it.
std::string address_header(std::string_view name, const std::vector<std::string>& addresses);

// "ops@x" of "ops@x" or "Operations <ops@x>", up to the first byte that cannot stand in an address: a blank,
// a control byte, or what would begin another one.
std::string bare_address(std::string_view text);

// Quoted-printable (RFC 2045, 6.7): lines of `text` end with LF, those of the result with CRLF and have at
// most 76 bytes.
std::string quoted_printable(std::string_view text);

// "Fri, 02 Jan 2026 15:04:05 +0800" (RFC 5322, 3.3), in the local zone.
std::string mail_date(std::chrono::system_clock::time_point at);

// "<random@host>"; bytes that may not stand in a host name are left out of `host`.
std::string new_message_id(std::string_view host);

}  // namespace healthcheckd
