// Says at start which capabilities healthcheckd lacks, and what that costs. Master.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

struct PowersNote {
    std::string text;                      // one line for the log; empty: nothing is missing
    std::vector<std::string_view> layers;  // the layers of enter_sandbox() that are missing for these reasons
};

// Returns what a healthcheckd with these capabilities, as permitted_capabilities() has them, cannot do. `root`: its user
// is root. `others`: its user namespace has other users.
PowersNote powers_note(std::uint32_t permitted, bool root, bool others);

}  // namespace healthcheckd::master
