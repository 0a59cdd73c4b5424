// One libcurl transfer that does not block. Mailer.
#pragma once

#include "common/system/unique_fd.h"

#include <chrono>
#include <curl/curl.h>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <sys/select.h>

namespace healthcheckd::master {

// Descriptors to wait for with select(2), and for how long at most.
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

// The sockets of transfers, for another thread that has to end them: libcurl waits for a mail server's last
// answer without a way out of its own.
class Connections {
public:
    // For a transfer that has not begun. This must outlive it.
    void follow(CURL* curl);
    // The same, with a connection that is made already, which it takes over.
    void follow(CURL* curl, UniqueFd connected);
    // From any thread: the connections are over, and no new one is made.
    void cut();
    bool is_cut();

private:
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int on_socket(void* self, curl_socket_t socket, curlsocktype purpose);
    static int on_close(void* self, curl_socket_t socket);

    std::mutex mutex_;  // of all below
    std::set<curl_socket_t> open_;
    UniqueFd connected_;                     // for the next one that is asked for
    curl_socket_t given_ = CURL_SOCKET_BAD;  // it was this one
    bool cut_ = false;
};

class Transfer {
public:
    // Throws std::runtime_error when there is no memory for it.
    Transfer();
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // For the options; before begin().
    CURL* handle() const { return easy_.get(); }
    void begin();
    // The outcome, once it is there.
    std::optional<CURLcode> step();
    void watch(Watch& watch) const;

private:
    // Both types are void to C++; the pool of connections goes after the handle.
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
    bool begun_ = false;
};

}  // namespace healthcheckd::master
