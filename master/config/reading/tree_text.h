// Converts a value in the tree to the text that a key takes. Configuration child.
#pragma once

#include "common/system/result.h"
#include "master/config/keys.h"
#include "master/config/reading/tree.h"

#include <string>

namespace healthcheckd::master {

// Returns a scalar as written; a list as its items separated by commas (Shape::list); a map or list as a JSON
// text (Shape::json, Shape::headers). Fails when the value does not have the key's shape, or contains a
// duplicate key. `node` must not be null.
Result<std::string> text_of(const Node& node, Shape shape);

}  // namespace healthcheckd::master
