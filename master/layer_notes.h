// Says once which sandbox layers this machine does not have, whichever child meets it first. Master.
#pragma once

#include "common/log.h"

#include <set>
#include <string>
#include <string_view>

namespace healthcheckd::master {

class LayerNotes {
public:
    // `missing`: names joined by commas, as `ready` has them; empty: none.
    void note(std::string_view who, const std::string& missing) {
        if (!missing.empty() && said_.insert(missing).second)
            log::warning(who, "confined without these layers, which are not to be had here: {}", missing);
    }

private:
    std::set<std::string> said_;
};

}  // namespace healthcheckd::master
