// All cats at run time: those of the configuration, and one for each member of a group; updated when the
// configuration changes. Master.
#pragma once

#include "common/config/config.h"
#include "master/cat/cat.h"
#include "master/cat/schedule.h"
#include "master/cat/slots.h"
#include "master/cat/worker.h"
#include "master/process/spawner.h"
#include "master/supervisord/program_table.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace healthcheckd::master {

// The names of the cats that a new configuration adds, removes and changes.
struct CatChanges {
    std::vector<std::string> added;
    std::vector<std::string> removed;
    std::vector<std::string> changed;
    std::size_t unchanged = 0;
};

class Cats {
public:
    struct Dependencies {
        const WorkerContext& workers;
        const ProgramTable& table;
        Cat::EventCallback on_event;
        std::function<void()> on_first_failure;
        std::function<void()> on_scheduled;  // next_tick() may have changed
    };

    explicit Cats(Dependencies needs);

    // Creates the cats of `config` and starts their workers. `memory`: saved by a previous run.
    void start(std::shared_ptr<const Config> config, Memory memory);

    // Returns the state to be saved for the next run: of all cats, and of those restored from
    // `memory` that do not exist yet.
    Memory memory() const;
    // Incremented on every change of memory(): changes to be saved soon, and mere counts.
    using Revision = Record::Revision;
    Revision revision() const;

    // Switches to another configuration. A cat that is in both, with the same keys, keeps its worker, its
    // counts and its ticks; a cat with other keys starts from scratch, but stays failed if it was.
    CatChanges reload(std::shared_ptr<const Config> config);

    // Creates and removes cats so that each cat of `group:*` has one for each present member of the group.
    void follow_groups();
    // Returns whether a group has no known member.
    bool awaits_members() const;
    // Cats of groups without members. `asked`: supervisord has answered, so that this is certain.
    struct Absent {
        const CatConfig& cat;
        bool asked;
    };
    std::vector<Absent> absent() const;
    bool has_groups() const { return !groups_.empty(); }

    // A previous run announced that the cat failed. A cat that does not exist yet learns it when it is created.
    void restore_failed(const std::string& name);

    std::optional<TimePoint> next_tick() const { return schedule_.next(); }
    // Probes the cats whose tick is due; returns their number.
    int tick(TimePoint now, const std::function<ProgramView(const Cat&)>& view_of);

    // All cats, in the order of creation.
    std::vector<std::shared_ptr<Cat>> all() const;
    // Returns the cats of this name, or those of the program of this name.
    std::vector<std::shared_ptr<Cat>> named(const std::string& name) const;
    // Returns the cat of this name, or nullptr.
    std::shared_ptr<Cat> find(const std::string& name) const;
    bool any_of_program(const std::string& program) const;

    // Ends ticks and counting, before healthcheckd ends; all state stays readable.
    void retire();
    // Destroys all cats and kills their workers.
    void clear();

private:
    // A cat of `group:*`: one cat at run time for each member of the group.
    struct Group {
        std::size_t index;                            // of the cat in the configuration
        std::string name;                             // the name of supervisord's group
        std::map<std::string, Schedule::Id> members;  // by the program's full name
        bool empty_said = false;
    };

    // Creates the run-time cats of cat `index` and appends those to be started to `fresh`.
    void make(std::size_t index, std::vector<Cat*>& fresh);
    Cat& add(Prober::Identity identity);
    // Ends the probes of a cat that is to be destroyed.
    void unschedule(Schedule::Id id);
    void forget_unknown();
    void start_workers(const std::vector<Cat*>& cats);
    void follow(Group& group, const std::string& cat_name, std::vector<Cat*>& fresh);

    Dependencies deps_;
    const Cat::Context context_;
    std::shared_ptr<const Config> config_;
    std::map<Schedule::Id, std::shared_ptr<Cat>> cats_;  // in the order of creation
    std::map<std::string, Group> groups_;                // by the cat's name
    std::set<std::string> failed_before_;                // names of cats that do not exist yet
    Memory memory_;                                      // of cats that do not exist yet
    Revision former_;                                    // total of cats that no longer exist
    bool began_ = false;
    Schedule::Id next_id_ = 0;
    Slots slots_{Clock::now()};
    Schedule schedule_;
};

}  // namespace healthcheckd::master
