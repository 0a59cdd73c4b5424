// One non-blocking libcurl transfer. Mailer.
#pragma once

#include "common/net/libcurl.h"
#include "common/system/unique_fd.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <sys/select.h>

namespace healthcheckd::master {

// Descriptors to wait for with select(2), and a timeout.
struct Watch {
    Watch() {
        FD_ZERO(&read);
        FD_ZERO(&write);
        FD_ZERO(&except);
    }
    void limit(std::chrono::milliseconds time) { timeout = time < timeout ? time : timeout; }
    void reading(int fd) {
        FD_SET(fd, &read);
        highest = fd > highest ? fd : highest;
    }
    void wait();

    fd_set read, write, except;
    int highest = -1;
    std::chrono::milliseconds timeout{60'000};
};

// The sockets of transfers, so that another thread can abort them: libcurl waits for a mail server's last
// reply without a way to interrupt it.
class Connections {
public:
    // Tracks a transfer that has not begun. This object must outlive it.
    void follow(CURL* curl);
    // As above, and gives it `connected`, a connection that exists already.
    void follow(CURL* curl, UniqueFd connected);
    // Shuts down all connections and prevents new ones. May be called from any thread.
    void cut();
    bool is_cut();

private:
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int on_socket(void* self, curl_socket_t socket, curlsocktype purpose);
    static int on_close(void* self, curl_socket_t socket);

    std::mutex mutex_;  // protects all members below
    std::set<curl_socket_t> open_;
    UniqueFd connected_;                     // handed out for the next socket that libcurl asks for
    curl_socket_t given_ = CURL_SOCKET_BAD;  // the socket that was handed out
    bool cut_ = false;
};

class Transfer {
public:
    // Throws std::runtime_error when there is no memory for it.
    Transfer();
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // For setting options; before begin().
    CURL* handle() const { return easy_.get(); }
    void begin();
    // Returns the result when the transfer has ended.
    std::optional<CURLcode> step();
    void watch(Watch& watch) const;

private:
    // libcurl declares both types as void; the multi handle must be destroyed after the easy handle.
    std::unique_ptr<CURLM, decltype(Libcurl::multi_cleanup)> multi_;
    CurlHandle easy_;
    bool begun_ = false;
};

}  // namespace healthcheckd::master
