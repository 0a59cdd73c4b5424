// Parsing of HTTP heads: the final status, also in a response that libcurl did not read because the request
// could not be sent. Worker (http).
#pragma once

#include <optional>
#include <string_view>

namespace healthcheckd::worker {

// Returns whether the status is not interim: 1xx except 101 is (RFC 9110, 15.2).
bool is_final(long status);

// Returns the status of the first complete head in `received` with a final status. Accepts lines without CR
// and a missing reason phrase. Returns nullopt when there is no such head, or anything else is in `received`.
std::optional<long> final_status(std::string_view received);

}  // namespace healthcheckd::worker
