#include "master/state_keeper.h"

#include "common/log/log.h"
#include "master/files/memory.h"

#include <spdlog/fmt/ranges.h>
#include <utility>

namespace healthcheckd::master {

namespace {

constexpr char kStateFile[] = "state.json";
constexpr Milliseconds kLookInterval{5'000};
constexpr Milliseconds kCountsInterval{30'000};  // of counts alone

}  // namespace

StateKeeper::StateKeeper(Loop& loop, Spawner& spawner, std::string dir, const Cats& cats,
                         std::function<StateView()> view)
    : dir_(std::move(dir)), cats_(cats), view_(std::move(view)),
      files_(loop, spawner, dir_,
             [this](const std::string& name, const std::string& failure) { on_written(name, failure); }),
      timer_(loop, [this] { look(); }) {}

void StateKeeper::start(std::string keep_as) {
    keep_as_ = std::move(keep_as);
    timer_.start(kLookInterval);
}

void StateKeeper::look() {
    const Cats::Revision now = cats_.revision();
    const bool counts_due = now.counts != saved_.counts && Clock::now() - saved_at_ >= kCountsInterval;
    if (now.deeds != saved_.deeds || counts_due)
        write_memory();
    timer_.start(kLookInterval);
}

void StateKeeper::write_state() {
    files_.write(kStateFile, state_json(view_()));
}

void StateKeeper::write_memory() {
    saved_ = cats_.revision();
    saved_at_ = Clock::now();
    files_.write(kMemoryFile, encode_memory(cats_.memory()), 0600, keep_as_);
}

void StateKeeper::stop() {
    stopped_ = true;
    timer_.stop();
    write_state();
    write_memory();
}

void StateKeeper::write_changes() {
    if (cats_.revision().deeds == saved_.deeds)
        return;
    write_state();
    write_memory();
}

void StateKeeper::log_unwritten() const {
    if (idle())
        return;
    const auto names = files_.unwritten();
    log::error("state", "not written in time at the end: {}; the disk of stateDir does not answer{}",
               fmt::join(names, ", "),
               names.contains(kMemoryFile)
                   ? "; the next start may not know the last pauses, counts and actions"
                   : "");
}

void StateKeeper::on_written(const std::string& name, const std::string& failure) {
    if (!failure.empty()) {
        log::error("state", "{} is not written: {}", name, failure);
        if (name == kMemoryFile && !stopped_)
            saved_ = {~0ULL, ~0ULL};  // so that it is tried again
    } else if (name == kStateFile)
        log::info("state", "written to {}/{}", dir_, name);
    else
        keep_as_.clear();
}

}  // namespace healthcheckd::master
