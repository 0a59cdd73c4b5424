// The master's end of the supervisord link: requests the program table when something may have changed.
// Master.
//
// link_child.h has the link process itself. Requests are coalesced: while one is under way, all further
// ones become a single request after it. A link that does not answer in time, violates the protocol or dies
// is replaced, with back-off.
#pragma once

#include "common/config/config.h"
#include "master/process/keeper.h"
#include "master/supervisord/supervisor_table.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

class Link {
public:
    struct Callbacks {
        std::function<void(const SupervisorTable&)> on_table;
        std::function<void(const std::string& why)> on_failure;  // a sentence
    };

    Link(Loop& loop, Spawner& spawner, LayerNotes& layers, std::shared_ptr<const Config> config,
         Callbacks callbacks);
    void start() { child_.start(); }

    // Uses another configuration for later link processes.
    void use(std::shared_ptr<const Config> config) { config_ = std::move(config); }
    // Replaces the link process at once. Calls of actions are aborted.
    void renew();

    // Requests the table after `delay`, or earlier if that was requested already.
    void refresh_in(Milliseconds delay);

    // Returns a new socket over which an action can make calls. Fails when there is no link process.
    Result<UniqueFd> open_peer();

    // Returns how long a table takes to arrive, the shorter of the last two times: nearly all of
    // it is supervisord's work.
    Milliseconds usual_answer_time() const { return std::min(answer_took_[0], answer_took_[1]); }

    pid_t pid() const { return child_.pid(); }
    // The uid of the process that answered first in this run, as the link reports it; nullopt: none
    // yet, or on another machine.
    std::optional<uid_t> supervisor_owner() const { return owner_; }

private:
    // Time for three calls: the table, supervisord's pid, and a call of an action that may be under way in
    // the link.
    static constexpr Milliseconds kAnswerLimit{17'000};
    static constexpr std::size_t kMostPrograms = 10'000;

    ChildSpec spec();
    void ask();
    bool on_line(std::string_view line);
    void on_answer(const AnswerLine& answer);
    void on_loss(const ChildKeeper::Loss& loss);

    Spawner& spawner_;
    std::shared_ptr<const Config> config_;
    Callbacks callbacks_;
    std::optional<uid_t> owner_;
    bool asking_ = false;
    std::uint64_t seq_ = 0;
    TimePoint asked_at_{};
    std::array<Milliseconds, 2> answer_took_{};  // the latest first
    SupervisorTable table_;                      // of the answer under way
    // When the next request is due; nullopt: none is wanted.
    std::optional<TimePoint> wish_;
    Timer ask_timer_;
    ChildKeeper child_;
};

}  // namespace healthcheckd::master
