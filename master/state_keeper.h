// What is written to stateDir about the cats: state.json when somebody asks, memory.json when it has changed. Master.
#pragma once

#include "master/cat/cats.h"
#include "master/files/state_files.h"
#include "master/state.h"

#include <functional>
#include <string>

namespace healthcheckd::master {

class StateKeeper {
public:
    // `view` gives what state.json shows; it is called when that is written.
    StateKeeper(Loop& loop, Spawner& spawner, std::string dir, const Cats& cats,
                std::function<StateView()> view);

    // From now on memory.json follows what the cats know: within 5 s of a change that the next start needs, within
    // 35 s when only counts have changed. `keep_as`: the name under which the first writing keeps a memory.json that
    // could not be read; empty: there is none.
    void start(std::string keep_as = {});

    void write_state();
    void write_memory();

    // Writes both a last time; no timer is left. A file that fails from now on is not written again.
    void stop();
    // After stop(): writes both again when something has changed that the next start needs.
    void write_changes();
    // Returns whether nothing is left to be written.
    bool idle() const { return files_.idle(); }
    // Logs what is left: the process ends.
    void log_unwritten() const;

private:
    void look();
    void on_written(const std::string& name, const std::string& failure);

    std::string dir_;
    const Cats& cats_;
    std::function<StateView()> view_;
    StateFiles files_;
    std::string keep_as_;   // of a memory.json that nobody has read and that is still to be kept
    Cats::Revision saved_;  // what memory.json has
    TimePoint saved_at_{};
    bool stopped_ = false;
    Timer timer_;
};

}  // namespace healthcheckd::master
