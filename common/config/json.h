// The values `json` and `headers` of a cat: JSON texts. Configuration child, and -T.
#pragma once

#include "common/system/result.h"
#include "common/text/mask.h"

#include <string>
#include <string_view>

namespace healthcheckd {

// A request body: `text` itself when it is a JSON text (RFC 8259) of at most 32 KB and 100 levels. The
// complaint names the place by its byte and never quotes the text, which may hold credentials.
Result<std::string> checked_json(std::string_view text);

// Request headers: a JSON object of at most 8 KB whose names are tokens (RFC 9110, 5.6.2), none twice, and
// whose values are texts without control characters, numbers or booleans. Returned with every value as a
// text.
Result<std::string> checked_headers(std::string_view text);

// The same for a call whose length and server are known: without Content-Length, Transfer-Encoding and Host.
Result<std::string> checked_call_headers(std::string_view text);

// Only the size of what the two have let through: parsing again would copy secrets to the heap.
Result<void> check_json_size(std::string_view text);

// `json_text` with ******** for each value whose key looks like a secret's (authorization, cookie, token,
// secret, pass, key, credential in it). A text without such a key comes back as it is.
std::string masked_json(std::string_view json_text);

// Does a shell command name a secret? By authorization, cookie, token, secret, passw and credential in it: a
// sign that it may hold one.
bool names_secret(std::string_view command);

}  // namespace healthcheckd
