// What people ask by healthcheckctl, answered from what the master knows. Master.
#pragma once

#include "common/wire/control.h"
#include "master/control/server.h"
#include "master/master.h"
#include "master/reloader.h"

#include <string>

namespace healthcheckd::master {

class Control {
public:
    using Reply = ControlServer::Reply;

    Control(Loop& loop, Master& master, Reloader& reloader);

    // Opens the socket. Failure is logged: checks and actions do not depend on it.
    void start(const std::string& path);

private:
    void on(const StatusRequest& request, const Reply& reply);
    void on(const PauseRequest& request, const Reply& reply);
    void on(const ResumeRequest& request, const Reply& reply);
    void on(const CheckRequest& request, const Reply& reply);
    void on(const TestActionRequest& request, const Reply& reply);
    void on(const ReloadRequest& request, const Reply& reply);
    void on(const HistoryRequest& request, const Reply& reply);

    // The cats called so, or those of the program called so; refuses when there are none.
    std::vector<std::shared_ptr<Cat>> cats(const std::string& name, const Reply& reply) const;
    // The one cat called so, or the only one of the program.
    std::shared_ptr<Cat> one(const std::string& name, const Reply& reply) const;

    Master& master_;
    Reloader& reloader_;
    ControlServer server_;
    // The last state that was told: whoever asks within the next moment gets the same, however many they are.
    std::shared_ptr<ControlServer::Text> state_ = std::make_shared<ControlServer::Text>();
    TimePoint state_at_{};
};

}  // namespace healthcheckd::master
