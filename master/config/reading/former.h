// Keys of the Python script that preceded healthcheckd, and the keys that replace them. Configuration child.
#pragma once

#include "master/config/keys.h"

#include <string>
#include <string_view>

namespace healthcheckd::master {

// Returns what to write instead of `name` in this section (`kind`: of the channel): "; it is 'maxMem' here";
// "" when it was never a key.
std::string in_place_of(Section section, const ChannelKind* kind, std::string_view name);

}  // namespace healthcheckd::master
