// Checks of string values: names, hosts, paths, addresses. Configuration child, and master (decoding a
// transfer).
//
// These strings become part of HTTP requests, mail headers, XML, file names and logs, so none may contain a
// control character: a CR LF would begin a new header. Errors are one sentence without the name of the key.
#pragma once

#include "common/system/result.h"

#include <string>
#include <string_view>

namespace healthcheckd {

// Accepts one line of valid UTF-8 without control characters, 1 to `max` bytes. The error never quotes the
// text, which may be a password.
Result<void> check_line(std::string_view text, std::size_t max);

// As check_line(), but accepts line breaks and tabs: a shell script.
Result<void> check_script(std::string_view text, std::size_t max);

// A user name for HTTP basic authentication: without a colon (RFC 7617).
Result<void> check_login(std::string_view text);

// supervisord's name of a program, "name" or "group:name", or "system"; at most 255 bytes.
Result<void> check_program(std::string_view text);

// The name of a cat: 1 to 64 characters out of A-Z a-z 0-9 _ . - : and non-ASCII letters and symbols; blanks
// only between others. Rejects invisible characters, so that different names look different.
Result<void> check_cat_name(std::string_view text);

// The name of a webhook, which becomes part of a file name: 1 to 64 characters out of A-Z a-z 0-9 _ . -,
// neither "." nor "..".
Result<void> check_webhook_name(std::string_view text);

// A host name, an IPv4 address, or an IPv6 address with or without []; returned without [].
Result<std::string> parse_host(std::string_view text);

// The path of an HTTP request, with its query: begins with '/', no spaces, no fragment.
Result<void> check_request_path(std::string_view text);

// An absolute path of the file system, shorter than PATH_MAX.
Result<void> check_absolute_path(std::string_view text);

// As check_absolute_path(), short enough for a unix socket address (unix(7): 108 bytes with the final NUL).
Result<void> check_socket_path(std::string_view text);

// A mail address: one @ with text on each side, without characters that would end it in a mail header or in
// SMTP.
Result<void> check_address(std::string_view text);

// The name in the greeting of a mail server (RFC 5321, 4.1.1.1): a host name, or an address literal,
// [192.0.2.1] or [IPv6:2001:db8::1].
Result<void> check_helo(std::string_view text);

// Returns the address in "name@example.org" or "Name <name@example.org>".
Result<std::string> entry_address(std::string_view text);

// Returns the URL with its scheme, which is case-insensitive (RFC 3986, 3.1), in lower case.
std::string with_lower_scheme(std::string_view url);

// http:// or https://, without user information. The error never quotes it.
Result<void> check_webhook_url(std::string_view text);

// unix:///absolute/path, http://host[:port][/path] or https://..., without user information.
Result<void> check_supervisord_url(std::string_view text);

// Returns whether the (checked) URL refers to another machine: its host is not localhost, 127.0.0.0/8 or ::1.
bool is_remote_url(std::string_view url);

// Returns the port of an http or https URL, or the usual one; 0 when what stands there is none.
std::uint16_t port_of_url(std::string_view url);

}  // namespace healthcheckd
