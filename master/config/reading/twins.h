// Cats that check the same and judge it differently. Configuration child.
#pragma once

#include "common/config/draft.h"

#include <vector>

namespace healthcheckd::master {

// A warning for each cat that checks one thing of one program as an earlier one does, by another limit:
// whichever is reached first acts, which is seldom what was meant. `drafts` are those of config.cats, in
// their order.
void warn_of_twins(const std::vector<SectionDraft>& drafts, const Config& config, Diagnostics& diagnostics);

}  // namespace healthcheckd::master
