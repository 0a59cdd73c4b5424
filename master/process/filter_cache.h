// System call filters made once for all children of a kind, so that the children share their memory. Master.
#pragma once

#include "common/sandbox/sandbox.h"

#include <map>
#include <memory>
#include <tuple>

namespace healthcheckd::master {

class FilterCache {
public:
    FilterCache();
    ~FilterCache();

    // For SandboxProfile::filter; valid as long as the cache. Null when none can be made: that is left to the
    // child, whose failure is told.
    const SeccompProgram* filter_of(const SandboxProfile& profile);

private:
    // What of a profile a filter depends on.
    using Key = std::tuple<bool, bool, bool, bool, bool, bool>;

    std::map<Key, std::unique_ptr<const SeccompProgram>> filters_;
};

}  // namespace healthcheckd::master
