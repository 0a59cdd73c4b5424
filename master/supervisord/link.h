// The master's end of the supervisord link: asks for the program table when there is a reason to. Master.
//
// The link process itself is in link_child.h. Questions are coalesced: while one is under way, further
// wishes become one more question after it. A link that does not answer in time, writes nonsense or dies is
// replaced, with back-off.
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

    // Later link processes work by another configuration.
    void use(std::shared_ptr<const Config> config) { config_ = std::move(config); }
    // A new link process in place of this one, at once. Calls of actions are broken off.
    void renew();

    // Asks for the table after `delay`, or sooner when that is wished already.
    void refresh_in(Milliseconds delay);

    // A new socket on which an action makes calls of its own. Fails while there is no link process.
    Result<UniqueFd> open_peer();

    // How long tables are in coming, by the quicker of the last two: nearly all of it is supervisord's work.
    Milliseconds usual_answer_time() const { return std::min(answer_took_[0], answer_took_[1]); }

    pid_t pid() const { return child_.pid(); }
    // The uid of the process that answered first in this life, as the link says; nullopt: none yet, or on
    // another machine.
    std::optional<uid_t> supervisor_owner() const { return owner_; }

private:
    // Three calls' time: the table, supervisord's pid, and an action's call that may be under way in the
    // link.
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
    std::optional<TimePoint> wish_;
    Timer ask_timer_;
    ChildKeeper child_;
};

}  // namespace healthcheckd::master
