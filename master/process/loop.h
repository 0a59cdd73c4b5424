// The master's event loop: timers, descriptors, signals. The only file that knows libuv. Master.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace healthcheckd::master {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Milliseconds = std::chrono::milliseconds;

class Loop {
public:
    Loop();
    ~Loop();  // every handle of the loop must be gone
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Runs until stop().
    void run();
    void stop();

private:
    friend class Timer;
    friend class FdWatch;
    friend class SignalWatch;
    struct State;
    std::unique_ptr<State> state_;
};

// One shot at a time; may be started again from its own callback. Stops when destroyed.
class Timer {
public:
    Timer(Loop& loop, std::function<void()> callback);
    void start(Milliseconds after);
    // Fires at `when`, at once when that is past; never before it.
    void start_at(TimePoint when);
    void stop();

    struct Handle;

private:
    std::unique_ptr<Handle, void (*)(Handle*)> handle_;
};

// Calls back while the descriptor is readable (or writable), level-triggered. The descriptor must stay open
// for as long as the watch lives.
class FdWatch {
public:
    enum class For { reading, writing };
    FdWatch(Loop& loop, int fd, For what, std::function<void()> callback);
    void pause();
    void resume();

    struct Handle;

private:
    std::unique_ptr<Handle, void (*)(Handle*)> handle_;
    For what_;
};

class SignalWatch {
public:
    SignalWatch(Loop& loop, int signal, std::function<void()> callback);

    struct Handle;

private:
    std::unique_ptr<Handle, void (*)(Handle*)> handle_;
};

}  // namespace healthcheckd::master
