// Reads the configuration in a child, so that a broken disk, a parser's crash or a passing password never
// touches the running master. Master.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"
#include "master/process/spawner.h"

#include <functional>
#include <memory>
#include <string>

namespace healthcheckd::master {

class ConfigLoader {
public:
    using Callback = std::function<void(Result<LoadedConfig>)>;

    explicit ConfigLoader(Spawner& spawner) : spawner_(spawner) {}
    ~ConfigLoader();

    // Loads `path`; `callback` comes from the loop, within 30 s. An error is about the loading itself;
    // complaints about the file are in the LoadedConfig. One at a time: false while another is under way.
    bool load(const std::string& path, Callback callback);

private:
    class SharedArea;
    struct Loading;
    Spawner& spawner_;
    std::shared_ptr<Loading> loading_;
};

}  // namespace healthcheckd::master
