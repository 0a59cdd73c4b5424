// Sees to it that restarts which were left in the middle are finished: at the start, and after one that
// failed between stop and start. Master.
#pragma once

#include "master/report_reader.h"
#include "master/spawner.h"

#include <functional>
#include <memory>
#include <string>

namespace healthcheckd::master {

class RestartFinisher {
public:
    RestartFinisher(Loop& loop, Spawner& spawner, std::string state_dir,
                    std::function<Result<UniqueFd>()> open_peer);
    ~RestartFinisher();

    // Looks for records after `delay`, and again, ever more rarely, until none is left.
    void look(Milliseconds delay);
    void stop();

private:
    static constexpr Milliseconds kFirstPause{1'000};
    static constexpr Milliseconds kMostPause{30'000};
    static constexpr Milliseconds kLimit{300'000};  // for one child: several calls for each record

    void begin();
    void on_line(std::string_view text);
    void on_end();
    void again();

    Loop& loop_;
    Spawner& spawner_;
    std::string state_dir_;
    std::function<Result<UniqueFd>()> open_peer_;
    pid_t pid_ = 0;
    UniqueFd control_;
    std::unique_ptr<ReportReader> reader_;
    bool finished_ = false;
    bool stopped_ = false;
    std::string last_said_;
    Milliseconds pause_{kFirstPause};
    Timer timer_;
    Timer deadline_;
};

}  // namespace healthcheckd::master
