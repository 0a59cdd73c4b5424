// A new configuration for a master that runs: read and checked in a child, taken whole or not at all. Master.
#pragma once

#include "master/cat/cats.h"
#include "master/files/config_loader.h"
#include "master/master.h"

#include <functional>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct ReloadOutcome {
    std::string error;                  // why nothing has changed; empty: it was taken
    std::vector<std::string> problems;  // the file's, as -t shows them
    CatChanges changes;
    std::vector<std::string> notes;  // what of it takes effect at the next start only
};

class Reloader {
public:
    using Done = std::function<void(const ReloadOutcome&)>;

    Reloader(Spawner& spawner, Master& master, std::string config_file)
        : loader_(spawner), master_(master), config_file_(std::move(config_file)) {}

    // Reads the file and has the master go on with it; the log says what came of it, and so does `done`. What
    // is asked for while the file is being read leads to one more reading after it: the file may have been
    // written meanwhile.
    void request(Done done);

    // Takes no configuration any more.
    void stop() { stopped_ = true; }

private:
    void begin();
    void on_loaded(const Result<LoadedConfig>& loaded);
    ReloadOutcome take(const Result<LoadedConfig>& loaded);

    ConfigLoader loader_;
    Master& master_;
    std::string config_file_;
    std::vector<Done> waiting_;  // for the next reading
    std::vector<Done> served_;   // by the one under way
    bool reading_ = false;
    bool stopped_ = false;
};

}  // namespace healthcheckd::master
