// System call filters compiled once for all children of a kind, which then share their memory. Nursery.
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

    // Returns the value for SandboxProfile::filter, valid as long as the cache; nullptr when compiling fails:
    // the child then tries again and reports the error.
    const SeccompProgram* filter_of(const SandboxProfile& profile);

private:
    // The members of a profile that its filter depends on.
    using Key = std::tuple<bool, bool, bool, bool, bool, bool>;

    std::map<Key, std::unique_ptr<const SeccompProgram>> filters_;
};

}  // namespace healthcheckd::master
