// The mailer as the master sees it: started, started again, told of new notices, and heard. Master.
#pragma once

#include "common/config/config.h"
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
        std::uint64_t failed = 0;  // given up, or notices that could not be kept
        std::string refusal = {};  // why a server refuses us; or empty
    };

    struct Pace {
        Milliseconds look = kLook;                   // it says something at each look at the spool at least
        Milliseconds silence{600'000};               // without a word for so long it hangs
        std::function<int(pid_t master)> life = {};  // in place of run_mailer()
    };

    // `life`: of this master (see Notice). `on_still_failed` is told, at the start, each cat of which people
    // were told that it failed and not yet that it is well again.
    Mailer(Loop& loop, Spawner& spawner, LayerNotes& layers, std::shared_ptr<const Config> config,
           std::string life, std::function<void(const std::string& cat)> on_still_failed, Pace pace);
    Mailer(Loop& loop, Spawner& spawner, LayerNotes& layers, std::shared_ptr<const Config> config,
           std::string life, std::function<void(const std::string& cat)> on_still_failed)
        : Mailer(loop, spawner, layers, std::move(config), std::move(life), std::move(on_still_failed),
                 Pace()) {}

    // Starts the mailer, if the configuration has anybody to tell.
    void start() { child_.start(); }
    // Goes on with another configuration. `renew`: the mailer that runs finishes what is on its way, and
    // another one follows it.
    void use(std::shared_ptr<const Config> config, bool renew);
    // There are new notices in the spool.
    void look();
    // So many notices could not be spooled: logged by whoever knows, counted, and told in the next message.
    void note_lost(std::uint64_t count);
    // Lets it finish what is on its way, for a short time, and begin nothing more.
    void stop();
    bool ended() const { return child_.pid() == 0; }

    Counters counters() const;

private:
    // Lines of it that go into the log in a second; the others are counted.
    static constexpr std::size_t kSayings = 200;
    // What one gets to finish when another one is to follow it.
    static constexpr Milliseconds kFinishLimit{35'000};

    ChildSpec spec();
    bool on_line(std::string_view text);
    void on_loss(const ChildKeeper::Loss& loss);
    void send_lost();
    void write_log(const Say& say);

    std::shared_ptr<const Config> config_;
    std::string life_;
    std::function<void(const std::string&)> on_still_failed_;
    Pace pace_;
    bool first_ = true;  // no mailer has come so far as to name all cats that failed in an earlier life
    bool stopping_ = false;
    std::uint64_t lost_unsent_ = 0;
    Counters before_;  // of earlier mailers, and what was lost
    Counters now_;
    SecondCount sayings_;
    std::uint64_t unsaid_ = 0;
    ChildKeeper child_;
};

}  // namespace healthcheckd::master
