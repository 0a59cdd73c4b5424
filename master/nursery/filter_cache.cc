#include "master/nursery/filter_cache.h"

#include "common/sandbox/seccomp.h"

namespace healthcheckd::master {

FilterCache::FilterCache() = default;
FilterCache::~FilterCache() = default;

const SeccompProgram* FilterCache::filter_of(const SandboxProfile& profile) {
    const Key key{profile.inet,    profile.datagrams,  profile.unix_socket,
                  profile.threads, profile.open_files, profile.writable.empty()};
    auto& filter = filters_[key];
    if (!filter && seccomp_available())
        if (auto compiled = compile_seccomp(profile))
            filter = std::make_unique<const SeccompProgram>(std::move(*compiled));
    return filter.get();
}

}  // namespace healthcheckd::master
