// Which status is an answer, and that of one which was received but not read because the request could not be
// sent. Worker (http).
#pragma once

#include <optional>
#include <string_view>

namespace healthcheckd::worker {

// All but the interim ones: 1xx without 101 (RFC 9110, 15.2).
bool is_final(long status);

// The status of the first complete head in `received` that has a final one.
// Lines may end without CR, and a reason may be missing. None when there is no such head, or something else.
std::optional<long> final_status(std::string_view received);

}  // namespace healthcheckd::worker
