// The master's event loop: timers, descriptors, signals. Only loop.cc uses libuv. Master.
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
    ~Loop();  // all timers and watches must be destroyed before
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

// A one-shot timer; its callback may start it again. Stops when destroyed.
class Timer {
public:
    Timer(Loop& loop, std::function<void()> callback);
    void start(Milliseconds after);
    // Fires at `when` or later, never before; at once when `when` is past.
    void start_at(TimePoint when);
    void stop();

    struct Handle;

private:
    std::unique_ptr<Handle, void (*)(Handle*)> handle_;
};

// Calls back while the descriptor is readable (or writable), level-triggered. The descriptor must stay open
// until the watch is destroyed.
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
