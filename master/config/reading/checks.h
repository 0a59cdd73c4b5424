// Checks of rules between keys, and defaults that depend on other keys. Configuration child.
#pragma once

#include "common/config/draft.h"

#include <vector>

namespace healthcheckd::master {

// Each function completes its part of the configuration and adds diagnostics about contradictions. It draws
// no conclusions from a key with an invalid value, which already has a diagnostic.
void finish_connection(const SectionDraft& draft, Diagnostics& diagnostics);
void finish_cat(const SectionDraft& draft, const Config& config, CatConfig& cat, Diagnostics& diagnostics);

// Adds one warning for the whole file when actions name a kind of channel (`email`, `webhook`) of which none
// is configured, and one for each name of the predecessor. A single channel that an action names must exist.
// `drafts`: in the order of config.cats.
void check_channels_are_there(const std::vector<SectionDraft>& drafts, const Config& config,
                              Diagnostics& diagnostics);

}  // namespace healthcheckd::master
