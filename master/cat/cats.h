// All cats at run time: made from the configuration, from the members of groups, and anew when the
// configuration changes. Master.
#pragma once

#include "common/config/config.h"
#include "master/cat/cat.h"
#include "master/cat/schedule.h"
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

// Which cats another configuration has added, removed and changed, by their names in it.
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
        std::function<void()> on_scheduled;  // next_tick() may be another one now
    };

    explicit Cats(Dependencies needs);

    // Makes the cats of `config`, and starts their workers. `memory`: of an earlier life.
    void start(std::shared_ptr<const Config> config, Memory memory);

    // What the next life is to know: of all cats, and of those that have not come yet.
    Memory memory() const;
    // Grow with every change of it: by what people rely on, and by mere counts.
    using Revision = Record::Revision;
    Revision revision() const;

    // Goes on with another configuration. A cat that is in both, with the same keys, keeps its worker, its
    // counts and its ticks; one with other keys starts afresh, but is still failed when it was.
    CatChanges reload(std::shared_ptr<const Config> config);

    // Cats of `group:*` become one for each member that the program table has now.
    void follow_groups();
    // Is there a group that has no member, as far as is known?
    bool awaits_members() const;
    // Cats of groups that have no member. `asked`: that is known; else supervisord has not answered yet.
    struct Absent {
        const CatConfig& cat;
        bool asked;
    };
    std::vector<Absent> absent() const;
    bool has_groups() const { return !groups_.empty(); }

    // People were told before this life that the cat failed; one that is not there yet is told when it comes.
    void restore_failed(const std::string& name);

    std::optional<TimePoint> next_tick() const { return schedule_.next(); }
    // Probes the cats whose tick has come, and says how many they were.
    int tick(TimePoint now, const std::function<ProgramView(const Cat&)>& view_of);

    // Every cat, in the order of appearance.
    std::vector<std::shared_ptr<Cat>> all() const;
    // The cats called so, or those of the program called so.
    std::vector<std::shared_ptr<Cat>> named(const std::string& name) const;
    // The one called so; nullptr: none.
    std::shared_ptr<Cat> find(const std::string& name) const;
    bool any_of_program(const std::string& program) const;

    // No more ticks, and nothing counts any more; what is known stays. For the end.
    void retire();
    // Ends every worker.
    void clear();

private:
    // A cat of `group:*`: one cat at run time for each member.
    struct Group {
        std::size_t index;                            // of the cat in the configuration
        std::string name;                             // of supervisord's group
        std::map<std::string, Schedule::Id> members;  // by full name of the program
        bool empty_said = false;
    };

    // Cat `index` of the configuration, to be started with `fresh`.
    void make(std::size_t index, std::vector<Cat*>& fresh);
    Cat& add(Prober::Identity identity);
    void forget_unknown();
    void start_workers(const std::vector<Cat*>& cats);
    void follow(Group& group, const std::string& cat_name, std::vector<Cat*>& fresh);

    Dependencies deps_;
    const Cat::Context context_;
    std::shared_ptr<const Config> config_;
    TimePoint origin_ = Clock::now();                    // of the slots of all cats
    std::map<Schedule::Id, std::shared_ptr<Cat>> cats_;  // by order of appearance
    std::map<std::string, Group> groups_;                // by name of the cat
    std::set<std::string> failed_before_;                // cats that are not there yet
    Memory memory_;                                      // the same
    Revision former_;                                    // of cats that are gone
    bool began_ = false;
    Schedule::Id next_id_ = 0;
    Schedule schedule_;
};

}  // namespace healthcheckd::master
