#include "master/cat/cats.h"

#include "common/log/log.h"
#include "common/log/log_line.h"
#include "master/config/compare.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

// supervisord omits the name of a group that equals the name of the program.
std::string canonical_program(const std::string& name) {
    const auto colon = name.find(':');
    if (colon != std::string::npos && name.substr(0, colon) == name.substr(colon + 1))
        return name.substr(0, colon);
    return name;
}

// Returns "web" for "web:*", all members of a group.
std::optional<std::string> group_of(const CatConfig& cat) {
    if (!cat.enabled || !cat.program.ends_with(":*"))
        return std::nullopt;
    return cat.program.substr(0, cat.program.size() - 2);
}

// Members of groups that do not exist yet and were announced as failed: more than the programs of any
// supervisord.
constexpr std::size_t kMostFailedBefore = 10'000;
// From the start to the first burst: the usual initialDelaySeconds is over then, which counts from the creation of
// each cat.
constexpr Milliseconds kToBurst{1250};
constexpr std::chrono::microseconds kToCreate{100};  // one cat, at most
constexpr std::string_view kStarted = "before healthcheckd was started";
constexpr std::string_view kChanged = "before it began anew";

std::string who(const CatConfig& cat) {
    return who_of(cat.name, cat.program);
}

}  // namespace

Cats::Cats(Dependencies needs)
    : deps_(std::move(needs)), context_{.make_prober = [&workers =
                                                            deps_.workers](Prober::Identity identity,
                                                                           Prober::Callbacks callbacks) {
          return std::make_unique<Worker>(workers, std::move(identity), std::move(callbacks));
      }} {}

void Cats::start(std::shared_ptr<const Config> config, Memory memory) {
    config_ = std::move(config);
    memory_ = std::move(memory);
    forget_unknown();
    slots_ = Slots(Clock::now() + kToBurst + config_->cats.size() * kToCreate);
    // Creates all cats before the first fork: see HeapPlug.
    std::vector<Cat*> fresh;
    for (std::size_t i = 0; i < config_->cats.size(); ++i)
        make(i, fresh);
    start_workers(fresh);
    began_ = true;
}

CatChanges Cats::reload(std::shared_ptr<const Config> config) {
    const std::shared_ptr<const Config> before = std::exchange(config_, std::move(config));
    CatChanges changes;
    std::map<std::string, const CatConfig*> old;
    for (const CatConfig& cat : before->cats)
        old[cat.name] = &cat;
    const bool same_world = same_workers(*before, *config_);
    std::map<std::string, std::size_t> kept;
    std::set<std::string> redefined;
    std::vector<std::size_t> renewed;
    for (std::size_t i = 0; i < config_->cats.size(); ++i) {
        const CatConfig& cat = config_->cats[i];
        const auto found = old.find(cat.name);
        const bool same = found != old.end() && same_keys(*before, *found->second, *config_, cat);
        if (same && same_world) {
            kept[cat.name] = i;
        } else {
            if (!same)
                redefined.insert(cat.name);
            (found == old.end() ? changes.added : changes.changed).push_back(cat.name);
            renewed.push_back(i);
        }
        if (found != old.end())
            old.erase(found);
    }
    for (const auto& [name, cat] : old)
        changes.removed.push_back(name);
    changes.unchanged = kept.size();

    std::erase_if(groups_, [&](const auto& entry) { return !kept.contains(entry.first); });
    for (auto& [name, group] : groups_)
        group.index = kept[name];
    std::erase_if(cats_, [&](const auto& entry) {
        const auto& [id, cat] = entry;
        const std::string& name = cat->config().name;
        if (const auto found = kept.find(name); found != kept.end()) {
            cat->adopt(config_, found->second);
            return false;
        }
        RememberedCat& remembered = memory_[cat->name()] = cat->remembered();
        if (redefined.contains(name))
            remembered.definition.clear();  // also when only a secret has changed
        else
            remembered.starts_reported = cat->starts_reported();
        ++former_.deeds;
        unschedule(id);
        return true;
    });

    forget_unknown();
    std::vector<Cat*> fresh;
    for (const std::size_t index : renewed)
        make(index, fresh);
    start_workers(fresh);
    return changes;
}

// Drops what is saved for cats, and members of groups, that the configuration no longer has.
void Cats::forget_unknown() {
    std::set<std::string_view> known;
    for (const CatConfig& cat : config_->cats)
        known.insert(cat.name);
    std::erase_if(memory_, [&](const auto& entry) {
        return !known.contains(std::string_view(entry.first).substr(0, entry.first.find('/')));
    });
}

Memory Cats::memory() const {
    Memory memory = memory_;
    for (const auto& [id, cat] : cats_)
        memory[cat->name()] = cat->remembered();
    return memory;
}

Cats::Revision Cats::revision() const {
    Revision revision = former_;
    for (const auto& [id, cat] : cats_) {
        revision.deeds += cat->revision().deeds;
        revision.counts += cat->revision().counts;
    }
    return revision;
}

void Cats::make(std::size_t index, std::vector<Cat*>& fresh) {
    const CatConfig& cat = config_->cats[index];
    if (!cat.enabled)
        log::info(who(cat), "is not enabled: it is not probed");
    else if (cat.dry_run)
        log::info(who(cat), "dry run: what it would do is told, and not done");
    if (const auto group = group_of(cat)) {
        groups_[cat.name] = {index, *group, {}};
        return;
    }
    Cat& made = add({config_, index, cat.name, canonical_program(cat.program)});
    if (cat.enabled)
        fresh.push_back(&made);
}

Cat& Cats::add(Prober::Identity identity) {
    const Schedule::Id id = next_id_++;
    const auto cat =
        std::make_shared<Cat>(context_, std::move(identity), deps_.on_event, deps_.on_first_failure);
    cats_[id] = cat;
    if (const auto found = memory_.find(cat->name()); found != memory_.end()) {
        cat->restore(found->second, began_ ? kChanged : kStarted);
        memory_.erase(found);
    }
    const CatConfig& config = cat->config();
    if (!config.enabled)
        return *cat;
    const std::string server = config.type->server != nullptr ? config.type->server(config) : "";
    schedule_.add(id, slots_.first_tick(id, Clock::now() + config.initial_delay, config.period, server),
                  config.period);
    deps_.on_scheduled();
    if (failed_before_.erase(cat->name()) > 0)
        cat->restore_failed(kStarted);
    return *cat;
}

void Cats::unschedule(Schedule::Id id) {
    schedule_.remove(id);
    slots_.leave(id);
}

void Cats::start_workers(const std::vector<Cat*>& cats) {
    if (cats.empty())
        return;
    std::vector<SpawnRequest> requests;
    requests.reserve(cats.size());
    for (Cat* cat : cats) {
        if (SpawnRequest birth = cat->start(Clock::now()); birth.spec.birth)
            requests.push_back(std::move(birth));
        if (const Program* program = deps_.table.find(cat->program()); program != nullptr && program->runs())
            cat->on_program_started(*program);
    }
    deps_.workers.spawner.spawn_all(std::move(requests));
}

void Cats::follow_groups() {
    std::vector<Cat*> fresh;
    for (auto& [name, group] : groups_)
        follow(group, name, fresh);
    start_workers(fresh);
}

void Cats::follow(Group& group, const std::string& cat_name, std::vector<Cat*>& fresh) {
    const std::vector<std::string> present = deps_.table.members_of(group.name);
    std::erase_if(group.members, [&](const auto& member) {
        const auto& [program, id] = member;
        if (std::ranges::find(present, program) != present.end())
            return false;
        const Cat& cat = *cats_.at(id);
        log::info(cat.who(), "is no member of {} any more: its check ends", group.name);
        memory_[cat.name()] = cat.remembered();  // the member may come back
        ++former_.deeds;
        unschedule(id);
        cats_.erase(id);
        return true;
    });
    for (const std::string& program : present) {
        if (group.members.contains(program))
            continue;
        group.members[program] = next_id_;
        fresh.push_back(
            &add({config_, group.index, cat_name + '/' + program.substr(program.find(':') + 1), program}));
    }
    if (present.empty() && !group.empty_said)
        log::error(who_of(cat_name, group.name + ":*"), "supervisord has no group '{}'", group.name);
    group.empty_said = present.empty();
}

bool Cats::awaits_members() const {
    return std::ranges::any_of(groups_, [](const auto& entry) { return entry.second.members.empty(); });
}

std::vector<Cats::Absent> Cats::absent() const {
    std::vector<Absent> absent;
    for (const auto& [name, group] : groups_)
        if (group.members.empty())
            absent.push_back({config_->cats[group.index], group.empty_said});
    return absent;
}

void Cats::restore_failed(const std::string& name) {
    if (const auto cat = find(name))
        return cat->restore_failed(kStarted);
    // Only a member of a group can still appear.
    const auto slash = name.find('/');
    if (slash != std::string::npos && groups_.contains(name.substr(0, slash)) &&
        failed_before_.size() < kMostFailedBefore)
        failed_before_.insert(name);
}

int Cats::tick(TimePoint now, const std::function<ProgramView(const Cat&)>& view_of) {
    int due = 0;
    for (; const auto tick = schedule_.pop_due(now); ++due) {
        Cat& cat = *cats_.at(tick->id);
        if (tick->once)
            cat.try_first_probe(now, view_of(cat));
        else
            cat.tick(now, view_of(cat));
        if (const auto next = cat.next_try(now))
            schedule_.add_once(tick->id, *next);
    }
    return due;
}

std::vector<std::shared_ptr<Cat>> Cats::all() const {
    std::vector<std::shared_ptr<Cat>> cats;
    cats.reserve(cats_.size());
    for (const auto& [id, cat] : cats_)
        cats.push_back(cat);
    return cats;
}

std::vector<std::shared_ptr<Cat>> Cats::named(const std::string& name) const {
    std::vector<std::shared_ptr<Cat>> of_name;
    std::vector<std::shared_ptr<Cat>> of_program;
    for (const auto& [id, cat] : cats_) {
        if (cat->name() == name || cat->config().name == name)
            of_name.push_back(cat);
        if (cat->program() == name || cat->config().program == name)
            of_program.push_back(cat);
    }
    return of_name.empty() ? of_program : of_name;
}

std::shared_ptr<Cat> Cats::find(const std::string& name) const {
    const auto found =
        std::ranges::find_if(cats_, [&](const auto& entry) { return entry.second->name() == name; });
    return found == cats_.end() ? nullptr : found->second;
}

bool Cats::any_of_program(const std::string& program) const {
    return std::ranges::any_of(cats_, [&](const auto& entry) {
        return entry.second->config().enabled && entry.second->program() == program;
    });
}

void Cats::retire() {
    schedule_ = {};
    for (const auto& [id, cat] : cats_)
        cat->retire();
}

void Cats::clear() {
    schedule_ = {};
    cats_.clear();
}

}  // namespace healthcheckd::master
