// Templates of mail subjects and bodies: text with {fields}. Configuration child (checking), mailer
// (filling).
#pragma once

#include "common/system/result.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

// The names allowed between braces, in the order of the manual page.
const std::vector<std::string_view>& template_fields();

// Checks that every {name} is one of the fields. `{{` and `}}` stand for a brace. The error names the first
// mistake.
Result<void> check_template(std::string_view text);

// Returns `text` with `value_of(name)` for each field, truncated between two characters to at most `max`
// bytes. A text that check_template() rejects is filled as far as possible.
std::string fill_template(std::string_view text,
                          const std::function<std::string(std::string_view name)>& value_of, std::size_t max);

}  // namespace healthcheckd
