// The values of the keys `json` and `headers`: JSON texts. Configuration child, and -T.
#pragma once

#include "common/system/result.h"
#include "common/text/mask.h"

#include <string>
#include <string_view>

namespace healthcheckd {

// Checks a request body. Returns `text` unchanged when it is a JSON text (RFC 8259) of at most 32 KB and 100
// levels. The error gives the position in bytes and never quotes the text, which may hold credentials.
Result<std::string> checked_json(std::string_view text);

// Checks request headers: a JSON object of at most 8 KB whose names are tokens (RFC 9110, 5.6.2) without
// duplicates, and whose values are strings without control characters, numbers or booleans. Returns it with
// every value as a string.
Result<std::string> checked_headers(std::string_view text);

// As checked_headers(), but rejects Content-Length, Transfer-Encoding and Host: the call determines them.
Result<std::string> checked_call_headers(std::string_view text);

// Checks only the size of a text that one of the functions above has accepted: parsing it again would copy
// secrets to the heap.
Result<void> check_json_size(std::string_view text);

// Returns `json_text` with ******** as each value whose key looks like a secret's (contains authorization,
// cookie, token, secret, pass, key or credential). Returns a text without such a key unchanged.
std::string masked_json(std::string_view json_text);

// Returns whether a shell command may contain a secret: whether it contains authorization, cookie, token,
// secret, passw or credential.
bool names_secret(std::string_view command);

}  // namespace healthcheckd
