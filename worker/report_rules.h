// The rules for a worker's report, by the type of check: a report can cause a program to be
// restarted or killed. Master.
#pragma once

#include "common/config/config.h"
#include "common/wire/protocol_worker.h"

#include <string_view>

namespace healthcheckd::worker {

// Returns what is wrong with `report`, the answer to `asked`; "": nothing. Does not check which process it
// names.
//
//   value    finite, not negative, and 0 where nothing was measured
//   limit    the cat's, or 0 where nothing was measured
//   unit     the type's, or none where nothing was measured
//   weight   1; for a failure of a restart cat, the number of restarts in `asked`
//   verdict  by CheckType::objection. mem and cpu: failure exactly when the value has reached the limit. restart:
//            failure exactly when `asked` has restarts or says that supervisord gave up, success only for a process
std::string_view objection_to(const Report& report, const CatConfig& cat, const ProbeCommand& asked);

}  // namespace healthcheckd::worker
