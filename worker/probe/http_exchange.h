// One HTTP request and its response over a connection. Worker (http).
#pragma once

#include "worker/probe/byte_stream.h"
#include "worker/probe/http_body.h"
#include "worker/probe/http_head.h"
#include "worker/probe/http_request.h"

#include <chrono>
#include <optional>
#include <poll.h>
#include <string>

namespace healthcheckd::worker {

inline constexpr std::size_t kMaxBodyBytes = 4 << 20;
inline constexpr std::size_t kMaxHeaderBytes = 64 << 10;

class HttpExchange {
public:
    using Clock = std::chrono::steady_clock;

    // `request` and `stream` must outlive this object. `no_body`: the response has none, whatever its head says.
    HttpExchange(ByteStream& stream, const HttpRequest& request, bool no_body)
        : stream_(stream), request_(request), no_body_(no_body), head_(kMaxHeaderBytes) {}

    enum class End {
        answered,  // the final head is complete
        closed,    // the other side ended the connection before that
        lost,      // `why`
        late,
        refused,  // what came is no HTTP, or too much
    };
    struct Answer {
        End end = End::late;
        std::string why = {};
    };

    // Sends the request and reads the final head until `deadline`. A server that answers without reading the request
    // has answered.
    Answer ask(Clock::time_point deadline);
    const HttpHead& head() const { return head_; }

    // After an answer: lets the other side complete its response and, if it announced that, end the connection, for
    // 0.2 s, within `deadline`, and for kMaxBodyBytes. Then ends the connection.
    void finish(Clock::time_point deadline);

private:
    enum class Sent { all, some, none_more };
    Sent send();
    std::optional<Answer> read_head();

    ByteStream& stream_;
    const HttpRequest& request_;
    const bool no_body_;
    HttpHead head_;
    std::optional<HttpBody> body_;
    bool ended_ = false;           // the other side has
    std::size_t part_ = 0;         // of the request, being sent
    std::size_t sent_ = 0;         // of this part
    short send_events_ = POLLOUT;  // what the stream waits for
    short receive_events_ = POLLIN;
    std::string send_lost_;  // why the request could not be sent to its end
};

}  // namespace healthcheckd::worker
