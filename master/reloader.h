// Replaces the configuration of a running master: read and checked in a child, applied as a
// whole or not at all. Master.
#pragma once

#include "master/cat/cats.h"
#include "master/files/config_loader.h"
#include "master/master.h"

#include <functional>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct ReloadOutcome {
    std::string error;                  // why nothing has changed; empty: it was applied
    std::vector<std::string> problems;  // diagnostics about the file, as -t shows them
    CatChanges changes;
    std::vector<std::string> notes;  // changes that take effect only at the next start
};

class Reloader {
public:
    using Done = std::function<void(const ReloadOutcome&)>;

    Reloader(Loop& loop, Spawner& spawner, Master& master, std::string config_file)
        : loader_(loop, spawner), master_(master), config_file_(std::move(config_file)) {}

    // Reads the file and applies it; logs the outcome and calls `done` with it. Requests made while the file
    // is being read cause one more reading afterwards, since the file may have changed meanwhile.
    void request(Done done);

    // Applies no configuration any more.
    void stop() { stopped_ = true; }

private:
    void begin();
    void on_loaded(const Result<LoadedConfig>& loaded);
    ReloadOutcome take(const Result<LoadedConfig>& loaded);

    ConfigLoader loader_;
    Master& master_;
    std::string config_file_;
    std::vector<Done> waiting_;  // for the next reading
    std::vector<Done> served_;   // for the present reading
    bool reading_ = false;
    bool stopped_ = false;
};

}  // namespace healthcheckd::master
