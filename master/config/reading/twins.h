// Warns of cats that check the same thing with different limits. Configuration child.
#pragma once

#include "common/config/draft.h"

#include <vector>

namespace healthcheckd::master {

// Adds a warning for each cat that checks the same thing of a program as an earlier cat, with another
// limit: whichever limit is reached first triggers its action, which is rarely intended. `drafts`: in
// the order of config.cats.
void warn_of_twins(const std::vector<SectionDraft>& drafts, const Config& config, Diagnostics& diagnostics);

}  // namespace healthcheckd::master
