// Encodings for mail (RFC 5322, 2045, 2047). Mailer and link.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

// Returns Base64 on one line (RFC 4648).
std::string base64(std::string_view bytes);

// Returns one header field with its CRLF. Control bytes, CR and LF among them, become blanks and bytes that
// are not UTF-8 become \xNN, so that no text can end the field; then text that is not plain ASCII becomes
// encoded words. Folded at 78 columns where it has blanks.
std::string header(std::string_view name, std::string_view text);

// Returns a field of addresses, one on each line, each as bare_address() returns it.
std::string address_header(std::string_view name, const std::vector<std::string>& addresses);

// Returns "ops@x" for "ops@x" or "Operations <ops@x>", up to the first byte that is not allowed in an
// address: a blank, a control byte, or what would begin another address.
std::string bare_address(std::string_view text);

// Encodes as quoted-printable (RFC 2045, 6.7): lines of `text` end with LF, those of the result with CRLF
// and have at most 76 bytes.
std::string quoted_printable(std::string_view text);

// Returns "Fri, 02 Jan 2026 15:04:05 +0800" (RFC 5322, 3.3), in the local time zone.
std::string mail_date(std::chrono::system_clock::time_point at);

// Returns "<random@host>", without bytes of `host` that are not allowed in a host name.
std::string new_message_id(std::string_view host);

}  // namespace healthcheckd
