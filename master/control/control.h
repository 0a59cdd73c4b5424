// What people ask by healthcheckctl, answered from what the master knows. Master.
#pragma once

#include "common/wire/control.h"
#include "master/control/server.h"
#include "master/master.h"
#include "master/reloader.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace healthcheckd::master {

class Control {
public:
    using Reply = ControlServer::Reply;

    Control(Loop& loop, Master& master, Reloader& reloader);

    // Opens the socket. Failure is logged: checks and actions do not depend on it.
    void start(const std::string& path);

    // For the commands (master/control/commands.cc).
    Master& master() { return master_; }
    Reloader& reloader() { return reloader_; }
    // The cats called so, or those of the program called so; refuses when there are none.
    std::vector<std::shared_ptr<Cat>> cats(const std::string& name, const Reply& reply) const;
    // The one cat called so, or the only one of the program; refuses when there is none, or more.
    std::shared_ptr<Cat> one(const std::string& name, const Reply& reply) const;
    // The document of `status`.
    ControlServer::Text state();
    // To be called when something has changed that `status` shows; also beyond the end of this object.
    std::function<void()> on_change() const;

private:
    Master& master_;
    Reloader& reloader_;
    ControlServer server_;
    // The last state that was told: whoever asks within the next moment gets the same, however many they are.
    std::shared_ptr<ControlServer::Text> state_ = std::make_shared<ControlServer::Text>();
    TimePoint state_at_{};
};

// Answers a request, by the row of its command.
void answer(Control& control, const ControlRequest& request, const Control::Reply& reply);

std::vector<std::string> names_of(const std::vector<std::shared_ptr<Cat>>& cats);

}  // namespace healthcheckd::master
