// The mailer, seen from the master: started, restarted, told of new notices; its lines are handled here.
// Master.
#pragma once

#include "common/config/config.h"
#include "common/wire/protocol_mailer.h"
#include "master/mailer/mailer_child.h"
#include "master/process/keeper.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace healthcheckd::master {

class Mailer {
public:
    struct Counters {
        std::uint64_t queued = 0;  // notices and messages in the spool
        std::uint64_t sent = 0;    // messages
        std::uint64_t failed = 0;  // messages given up, and lost notices
        std::string refusal = {};  // why a server rejects us; empty: none does
    };

    struct Pace {
        Milliseconds look = kLook;      // interval at which it scans the spool and reports, at least
        Milliseconds silence{600'000};  // after so long without a line it counts as hanging
        std::function<int(pid_t master)> main = {};  // replaces run_mailer() in tests
    };

    // `run_id`: the id of this run (see Notice). `on_still_failed` is called at the start for each cat whose
    // failure has been announced and whose recovery has not.
    Mailer(Loop& loop, Spawner& spawner, LayerNotes& layers, std::shared_ptr<const Config> config,
           std::string run_id, std::function<void(const std::string& cat)> on_still_failed, Pace pace);
    Mailer(Loop& loop, Spawner& spawner, LayerNotes& layers, std::shared_ptr<const Config> config,
           std::string run_id, std::function<void(const std::string& cat)> on_still_failed)
        : Mailer(loop, spawner, layers, std::move(config), std::move(run_id), std::move(on_still_failed),
                 Pace()) {}

    // Starts the mailer, if the configuration has a channel.
    void start() { child_.start(); }
    // Uses another configuration. `renew`: the present mailer finishes the deliveries under way, and another
    // one follows.
    void use(std::shared_ptr<const Config> config, bool renew);
    // Tells the mailer that there are new notices in the spool.
    void look();
    // Counts notices that could not be spooled, which the caller has logged; the next message mentions them.
    void note_lost(std::uint64_t count);
    // Has the mailer finish the deliveries under way, for a short time, and begin no others.
    void stop();
    bool ended() const { return child_.pid() == 0; }

    Counters counters() const;

private:
    // Lines of the mailer logged per second; any more are only counted.
    static constexpr std::size_t kSayings = 200;
    // Time that a mailer has to finish when another one is to follow.
    static constexpr Milliseconds kFinishLimit{35'000};

    ChildSpec spec();
    bool on_line(std::string_view text);
    void on_loss(const ChildKeeper::Loss& loss);
    void send_lost();
    void write_log(const Say& say);

    std::shared_ptr<const Config> config_;
    std::string run_id_;
    std::function<void(const std::string&)> on_still_failed_;
    Pace pace_;
    bool first_ = true;  // no mailer has listed the cats that failed in a previous run
    bool stopping_ = false;
    std::uint64_t lost_unsent_ = 0;
    Counters before_;  // of earlier mailers, and lost notices
    Counters now_;
    SecondCount sayings_;
    std::uint64_t unsaid_ = 0;
    ChildKeeper child_;
};

}  // namespace healthcheckd::master
