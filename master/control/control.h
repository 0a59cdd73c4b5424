// Answers the requests of healthcheckctl. Master.
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

    // Opens the socket, now or later: checks and actions do not depend on it.
    void start(const std::string& path);

    // For the command handlers (master/control/commands.cc).
    Master& master() { return master_; }
    Reloader& reloader() { return reloader_; }
    // Returns the cats of this name, or those of the program of this name; replies with an error when there
    // are none.
    std::vector<std::shared_ptr<Cat>> cats(const std::string& name, const Reply& reply) const;
    // Returns the cat of this name, or the only one of the program; replies with an error when
    // there is none, or several.
    std::shared_ptr<Cat> one(const std::string& name, const Reply& reply) const;
    // Returns the document for `status`.
    ControlServer::Text state();
    // Returns a function to be called when something that `status` shows has changed; it may outlive this
    // object.
    std::function<void()> on_change() const;

private:
    Master& master_;
    Reloader& reloader_;
    ControlServer server_;
    // The latest document: requests within a short time get the same one, however many there are.
    std::shared_ptr<ControlServer::Text> state_ = std::make_shared<ControlServer::Text>();
    TimePoint state_at_{};
};

// Answers a request with the handler of its command.
void answer(Control& control, const ControlRequest& request, const Control::Reply& reply);

std::vector<std::string> names_of(const std::vector<std::shared_ptr<Cat>>& cats);

}  // namespace healthcheckd::master
