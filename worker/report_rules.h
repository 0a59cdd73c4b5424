// What a worker may say of a probe, by the kind of its check: its word can have a program restarted or
// killed. Master.
#pragma once

#include "common/config/config.h"
#include "common/wire/protocol.h"

#include <string_view>

namespace healthcheckd::worker {

// What is wrong with `report`, the answer to `asked`; empty: nothing. Which process it names is not looked at
// here.
//
//   value    finite, not negative, and 0 where nothing was measured
//   limit    that of the cat, or 0 where nothing was measured
//   unit     that of the kind, or none where nothing was measured
//   weight   1; of a restart cat's failure, as many as the restarts that it was told of
//   verdict  as CheckType::objection says: of mem and cpu failure exactly where the value has reached the limit;
//            of restart failure exactly where it was told of restarts or that supervisord gave up, success only of
//            a process
std::string_view objection_to(const Report& report, const CatConfig& cat, const ProbeCommand& asked);

}  // namespace healthcheckd::worker
