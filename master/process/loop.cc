#include "master/process/loop.h"

#include <stdexcept>
#include <string>
#include <uv.h>

namespace healthcheckd::master {

// libuv accesses a handle's memory until its close callback has run, so only this callback frees the handle.
// A destroyed watch drops its own callback at once, so that a closing handle calls nothing.
template <class Self, class Uv> struct UvHandle {
    Uv uv{};
    std::function<void()> callback;

    static void close(Self* handle) {
        handle->callback = nullptr;
        uv_close(reinterpret_cast<uv_handle_t*>(&handle->uv),
                 [](uv_handle_t* closed) { delete static_cast<Self*>(closed->data); });
    }

    // The callback may destroy the watch and with it the running function, so a copy is called.
    static void call(void* data) {
        if (const auto running = static_cast<Self*>(data)->callback)
            running();
    }
};

struct Timer::Handle : UvHandle<Timer::Handle, uv_timer_t> {};
struct FdWatch::Handle : UvHandle<FdWatch::Handle, uv_poll_t> {};
struct SignalWatch::Handle : UvHandle<SignalWatch::Handle, uv_signal_t> {};

struct Loop::State {
    uv_loop_t uv{};
};

namespace {

void check(int code, const char* what) {
    if (code != 0)
        throw std::runtime_error(std::string(what) + ": " + uv_strerror(code));
}

template <class Handle> void close_handle(Handle* handle) {
    Handle::close(handle);
}

}  // namespace

Loop::Loop() : state_(std::make_unique<State>()) {
    check(uv_loop_init(&state_->uv), "uv_loop_init");
}

Loop::~Loop() {
    // Runs the close callbacks of the last handles. The first call may only consume a stop() from outside of
    // run().
    uv_run(&state_->uv, UV_RUN_NOWAIT);
    uv_run(&state_->uv, UV_RUN_NOWAIT);
    uv_loop_close(&state_->uv);
}

void Loop::run() {
    uv_run(&state_->uv, UV_RUN_DEFAULT);
}

void Loop::stop() {
    uv_stop(&state_->uv);
}

Timer::Timer(Loop& loop, std::function<void()> callback) : handle_(new Handle, close_handle<Handle>) {
    handle_->callback = std::move(callback);
    handle_->uv.data = handle_.get();
    uv_timer_init(&loop.state_->uv, &handle_->uv);
}

void Timer::start(Milliseconds after) {
    uv_update_time(handle_->uv.loop);
    uv_timer_start(
        &handle_->uv, [](uv_timer_t* uv) { Handle::call(uv->data); },
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, after.count())), 0);
}

void Timer::start_at(TimePoint when) {
    start(std::chrono::ceil<Milliseconds>(when - Clock::now()));
}

void Timer::stop() {
    uv_timer_stop(&handle_->uv);
}

FdWatch::FdWatch(Loop& loop, int fd, For what, std::function<void()> callback)
    : handle_(nullptr, close_handle<Handle>), what_(what) {
    auto fresh = std::make_unique<Handle>();
    fresh->callback = std::move(callback);
    fresh->uv.data = fresh.get();
    check(uv_poll_init(&loop.state_->uv, &fresh->uv, fd), "uv_poll_init");
    handle_.reset(fresh.release());
    resume();
}

void FdWatch::pause() {
    uv_poll_stop(&handle_->uv);
}

void FdWatch::resume() {
    uv_poll_start(&handle_->uv, what_ == For::reading ? UV_READABLE : UV_WRITABLE,
                  [](uv_poll_t* uv, int, int) { Handle::call(uv->data); });
}

SignalWatch::SignalWatch(Loop& loop, int signal, std::function<void()> callback)
    : handle_(new Handle, close_handle<Handle>) {
    handle_->callback = std::move(callback);
    handle_->uv.data = handle_.get();
    uv_signal_init(&loop.state_->uv, &handle_->uv);
    check(uv_signal_start(
              &handle_->uv, [](uv_signal_t* uv, int) { Handle::call(uv->data); }, signal),
          "uv_signal_start");
}

}  // namespace healthcheckd::master
