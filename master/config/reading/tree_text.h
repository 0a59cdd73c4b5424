// From a value of the tree to the text that a key takes. Configuration child.
#pragma once

#include "common/system/result.h"
#include "master/config/keys.h"
#include "master/config/reading/tree.h"

#include <string>

namespace healthcheckd::master {

// A scalar as it is written; a list as its items with commas (Shape::list); a map or list as a JSON text
// (Shape::json, Shape::headers). Fails when the value has another shape than the key takes, or a duplicate in
// it. `node` is not null.
Result<std::string> text_of(const Node& node, Shape shape);

}  // namespace healthcheckd::master
