// Reads the configuration in a child, so that a broken disk or a crash of the parser does not affect the
// running master, and a password never passes through it. Master.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"
#include "master/process/task.h"

#include <functional>
#include <memory>
#include <string>

namespace healthcheckd::master {

class ConfigLoader {
public:
    using Callback = std::function<void(Result<LoadedConfig>)>;

    // `limit`: of one load.
    ConfigLoader(Loop& loop, Spawner& spawner, Milliseconds limit = children::kConfiguration.limit);
    ~ConfigLoader();

    // Loads `path` and calls `callback` within its limit and 1 s for the end of the child: from the loop, or before
    // this returns when no process is started. An error is about the loading itself; diagnostics about the file are in
    // the LoadedConfig. While kMostLeft earlier children hang in the kernel, each load fails at once. Returns false while
    // another load is under way.
    bool load(const std::string& path, Callback callback);

private:
    static constexpr std::size_t kMostLeft = 2;

    class SharedArea;
    struct Loading;

    void on_end(const std::string& path);

    const Milliseconds limit_;
    std::unique_ptr<Loading> loading_;
    Task task_;
};

}  // namespace healthcheckd::master
