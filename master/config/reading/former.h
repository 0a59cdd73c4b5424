// Keys of the Python script that healthcheckd follows, and the keys that say the same here. Configuration
// child.
#pragma once

#include "master/config/keys.h"

#include <string>
#include <string_view>

namespace healthcheckd::master {

// What to write instead of `name` in this section, of a channel of this kind if it is one: "; it is 'maxMem' here"; "" when it was never a key.
std::string in_place_of(Section section, const ChannelKind* kind, std::string_view name);

}  // namespace healthcheckd::master
