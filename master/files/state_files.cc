#include "master/files/state_files.h"

#include <utility>

namespace healthcheckd::master {

StateFiles::StateFiles(Loop& loop, Spawner& spawner, std::string dir, OnEnd on_end)
    : dir_(std::move(dir)), on_end_(std::move(on_end)), task_(loop, spawner, [this] {
          if (writing_.empty() && !waiting_.empty())
              begin();
      }) {}

void StateFiles::write(const std::string& name, std::string text, mode_t mode, std::string keep_as) {
    waiting_[name] = {std::move(text), mode, std::move(keep_as)};
    if (writing_.empty())
        begin();
}

std::set<std::string> StateFiles::unwritten() const {
    std::set<std::string> names;
    for (const StateTexts* texts : {&writing_, &waiting_})
        for (const auto& [name, file] : *texts)
            names.insert(name);
    return names;
}

void StateFiles::begin() {
    if (task_.left_behind() >= kMostLeft)
        return;
    writing_ = std::exchange(waiting_, {});
    ChildSpec spec(children::kState);
    spec.main = [this](pid_t) {
        return run_write_state(dir_, writing_);
    };
    const auto on_end = [this](const std::optional<ChildEnd>& end) {
        finish(end ? task_.failure() : "the disk of stateDir does not answer");
    };
    const auto started = task_.start(spec, {.limit = kLimit, .end_limit = kEndLimit}, {.on_end = on_end});
    if (!started)
        finish("no process could be started: " + started.error().text());
}

void StateFiles::finish(const std::string& failure) {
    for (const auto& [name, file] : std::exchange(writing_, {}))
        on_end_(name, failure);
    if (writing_.empty() && !waiting_.empty())
        begin();
}

}  // namespace healthcheckd::master
