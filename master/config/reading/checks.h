// What must hold between several keys, and defaults that depend on others. Configuration child.
#pragma once

#include "common/config/draft.h"

#include <vector>

namespace healthcheckd::master {

// Each completes its part of the configuration and complains about what does not fit together. A key whose
// value could not be taken has been complained about; nothing is concluded from it.
void finish_connection(const SectionDraft& draft, Diagnostics& diagnostics);
void finish_cat(const SectionDraft& draft, const Config& config, CatConfig& cat, Diagnostics& diagnostics);

// One warning for the whole file when actions name a kind of channel (`email`, `webhook`) that the configuration has
// none of; the same for each of the predecessor's names. A channel that an action names itself must be there.
// `drafts` in the order of config.cats.
void check_channels_are_there(const std::vector<SectionDraft>& drafts, const Config& config,
                              Diagnostics& diagnostics);

}  // namespace healthcheckd::master
