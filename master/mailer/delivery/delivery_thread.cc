// A delivery in a thread of its own, for one whose steps may block. Mailer.
#include "common/system/unique_fd.h"
#include "common/text/printable.h"
#include "master/mailer/delivery/delivery.h"

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

// Interrupts a select(2) of the other thread, once.
class Bell {
public:
    Bell() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (!fd_)
            throw std::runtime_error(system_error("eventfd").text());
    }
    void ring() const {
        const std::uint64_t one = 1;
        (void)!::write(fd_.get(), &one, sizeof one);
    }
    void watch(Watch& watch) const { watch.reading(fd_.get()); }

private:
    UniqueFd fd_;
};

class DeliveryThread : public Delivery {
public:
    explicit DeliveryThread(std::unique_ptr<Delivery> delivery)
        : delivery_(std::move(delivery)), thread_([this] { run(); }) {}
    ~DeliveryThread() override;
    std::optional<DeliveryResult> step() override;
    void watch(Watch& watch) const override { done_.watch(watch); }

private:
    void run() noexcept;
    std::optional<DeliveryResult> deliver();

    Bell end_;   // wakes the thread
    Bell done_;  // wakes the owner
    std::atomic<bool> ending_{false};
    std::mutex mutex_;  // protects the three below, except while the thread uses a delivery that exists
    std::unique_ptr<Delivery> delivery_;
    bool over_ = false;  // the thread destroys the delivery
    std::optional<DeliveryResult> result_;
    std::thread thread_;  // last, since it uses all other members
};

DeliveryThread::~DeliveryThread() {
    ending_ = true;
    end_.ring();
    {
        const std::lock_guard lock(mutex_);
        if (!over_)
            delivery_->cut();
    }
    thread_.join();
}

std::optional<DeliveryResult> DeliveryThread::step() {
    const std::lock_guard lock(mutex_);
    return std::exchange(result_, std::nullopt);
}

std::optional<DeliveryResult> DeliveryThread::deliver() {
    try {
        for (;;) {
            if (auto result = delivery_->step(); result || ending_)
                return result;
            Watch watch;
            delivery_->watch(watch);
            end_.watch(watch);
            watch.wait();
        }
    } catch (const std::exception& failure) {
        return DeliveryResult{.message = "the delivery broke off: " + printable(failure.what(), 200)};
    }
}

void DeliveryThread::run() noexcept {
    std::optional<DeliveryResult> result = deliver();
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    delivery_.reset();  // sends QUIT to the server
    {
        const std::lock_guard lock(mutex_);
        result_ = std::move(result);
    }
    done_.ring();
}

}  // namespace

std::unique_ptr<Delivery> in_own_thread(std::unique_ptr<Delivery> delivery) {
    return std::make_unique<DeliveryThread>(std::move(delivery));
}

}  // namespace healthcheckd::master
