// Checks of values that are texts: names, hosts, paths, addresses. Configuration child, and master (decoding
// a transfer).
//
// These texts end up in HTTP requests, mail headers, XML, file names and logs, so none may hold a control
// character: a CR LF in one would begin a header of its own. Errors are one sentence without the key's name.
#pragma once

#include "common/system/result.h"

#include <string>
#include <string_view>

namespace healthcheckd {

// One line of valid UTF-8 without control characters, 1 to `max` bytes. The complaint never quotes the text,
// so it suits passwords.
Result<void> check_line(std::string_view text, std::size_t max);

// As check_line, with line breaks and tabs allowed: a shell script.
Result<void> check_script(std::string_view text, std::size_t max);

// A user name of HTTP basic authentication: no colon (RFC 7617).
Result<void> check_login(std::string_view text);

// supervisord's name of a program, "name" or "group:name", or "system"; at most 255 bytes.
Result<void> check_program(std::string_view text);

// The name of a cat: 1 to 64 characters, which are letters and signs outside of ASCII, A-Z a-z 0-9 _ . - :
// and blanks within. Nothing that cannot be seen, so that no two names look alike for that.
Result<void> check_cat_name(std::string_view text);

// The name of a webhook, which becomes part of a file's name: 1 to 64 of A-Z a-z 0-9 _ . -, neither "." nor
// "..".
Result<void> check_webhook_name(std::string_view text);

// A host name, an IPv4 address, or an IPv6 address with or without []; returned without [].
Result<std::string> parse_host(std::string_view text);

// The path of an HTTP request, with its query: begins with '/', no spaces, no fragment.
Result<void> check_request_path(std::string_view text);

// An absolute path of the file system, shorter than PATH_MAX.
Result<void> check_absolute_path(std::string_view text);

// The same, short enough for the address of a unix socket (unix(7): 108 bytes with the final NUL).
Result<void> check_socket_path(std::string_view text);

// A mail address: one @ with something on each side, and nothing that could end it in a header or in SMTP.
Result<void> check_address(std::string_view text);

// How a mail server is greeted (RFC 5321, 4.1.1.1): a host name, or an address in brackets, [192.0.2.1] or
// [IPv6:2001:db8::1].
Result<void> check_helo(std::string_view text);

// The address of "name@example.org" or "Name <name@example.org>".
Result<std::string> entry_address(std::string_view text);

// The URL with its scheme, which may be written in any case (RFC 3986, 3.1), in small letters.
std::string with_lower_scheme(std::string_view url);

// http:// or https://, without a user in it. The complaint never quotes it.
Result<void> check_webhook_url(std::string_view text);

// unix:///absolute/path, http://host[:port][/path] or https://..., without a user in it.
Result<void> check_supervisord_url(std::string_view text);

// Does the (checked) URL lead to another machine, by its host: not localhost, 127.0.0.0/8 or ::1?
bool is_remote_url(std::string_view url);

}  // namespace healthcheckd
