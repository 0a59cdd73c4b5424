// The unix socket for healthcheckctl: connections, limits, requests and answers. Master.
//
// A client costs the master only a few system calls: it can send one request, of one line, and is
// disconnected when it is slow (common/wire/control.h has the grammar and the timeouts). Only root and
// healthcheckd's own user may connect.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "common/wire/control.h"
#include "master/control/control_socket.h"
#include "master/process/loop.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace healthcheckd::master {

class ControlServer {
public:
    using Text = std::shared_ptr<const std::string>;
    // Sends the answer, once, now or later; does nothing when the client, or the server, is gone.
    using Reply = std::function<void(Text)>;
    using Handler = std::function<void(const ControlRequest&, Reply)>;

    ControlServer(Loop& loop, Handler handler);
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    // Listens at `path`, and tries again until that succeeds; logs why it does not. This uses the socket's
    // folder from the loop, which is why it should not be on a disk that may hang.
    void start(const std::string& path);

    // One try of start(): creates the socket, and its folder if that is missing (master/control/control_socket).
    Result<void> listen(const std::string& path);

    // Returns an answer with `error`.
    static Text refusal(const std::string& error);

private:
    struct Client {
        UniqueFd fd;
        std::string line;
        bool asked = false;
        Text answer;
        std::size_t sent = 0;
        std::unique_ptr<FdWatch> watch;  // for reading; for writing once there is an answer
        TimePoint deadline;
        Timer limit;

        void allow(Milliseconds time) {
            deadline = Clock::now() + time;
            limit.start(time);
        }
    };
    using Clients = std::map<std::uint64_t, std::unique_ptr<Client>>;

    static constexpr std::size_t kMostClients = 32;
    static constexpr int kMostAtOnce = 8;        // connections accepted in one iteration of the loop
    static constexpr Milliseconds kRest{1'000};  // when there are no descriptors left
    static constexpr Milliseconds kTryAgain{5'000};

    void on_connection();
    void add(UniqueFd fd);
    void on_readable(std::uint64_t id);
    void on_line(std::uint64_t id, std::string_view line);
    void answer(std::uint64_t id, Text text);
    void on_writable(std::uint64_t id);

    Loop& loop_;
    Handler handler_;
    std::string path_;
    std::string trouble_;  // the last error of start() that was logged; empty: it listens
    std::unique_ptr<ControlSocket> socket_;
    std::unique_ptr<FdWatch> connections_;
    Timer rest_;
    Timer next_try_;
    // Shared with pending replies, which must notice the server's end.
    std::shared_ptr<Clients> clients_ = std::make_shared<Clients>();
    std::uint64_t last_id_ = 0;
};

}  // namespace healthcheckd::master
