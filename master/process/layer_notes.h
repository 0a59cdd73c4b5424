// Logs each missing sandbox layer once, whichever child reports it first. Master.
#pragma once

#include "common/log/log.h"
#include "common/text/split.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

// The layers that enter_sandbox() and ChildUser::missing may name.
inline constexpr std::array<std::string_view, 9> kSandboxLayers = {
    "bounding set",    "uid",     "single uids",   "no_new_privs", "landlock", "landlock ports",
    "landlock scopes", "seccomp", "CAP_SYS_PTRACE"};

class LayerNotes {
public:
    // Logs the layers in `missing`, a list separated by commas as in `ready`, that have not been logged
    // before. Ignores any other name, so that a child cannot fill the log or the master's memory.
    void note(std::string_view who, std::string_view missing) {
        std::string fresh;
        for (const std::string_view name : split(missing, ',')) {
            const auto known = std::ranges::find(kSandboxLayers, name);
            if (known != kSandboxLayers.end() && said_.insert(*known).second)
                fresh.append(fresh.empty() ? "" : ",").append(name);
        }
        if (!fresh.empty())
            log::warning(who, "sandbox layers not available on this system: {}", fresh);
    }

    // Does not log these, which something else has said.
    void leave_out(const std::vector<std::string_view>& names) { said_.insert(names.begin(), names.end()); }

private:
    std::set<std::string_view> said_;  // of kSandboxLayers
};

}  // namespace healthcheckd::master
