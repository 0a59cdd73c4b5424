// Templates of mail subjects and bodies: text with {fields}. Configuration child (checking), mailer
// (filling).
#pragma once

#include "common/system/result.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

// The names that may stand between braces, in the order of the manual page.
const std::vector<std::string_view>& template_fields();

// Is every {name} one of the fields? `{{` and `}}` stand for a brace. The complaint names the first mistake.
Result<void> check_template(std::string_view text);

// `text` with `value_of(name)` for each field. At most `max` bytes, cut between two characters. A text that
// check_template() refuses is filled as far as it makes sense.
std::string fill_template(std::string_view text,
                          const std::function<std::string(std::string_view name)>& value_of, std::size_t max);

}  // namespace healthcheckd
