// One HTTP request and its answer over a socket that is connected already. Link.
//
// libcurl 7.88 connects by itself or not at all (it ignores CURL_SOCKOPT_ALREADY_CONNECTED), and this is all
// that supervisord's unix socket needs: HTTP/1.0, one request, the end of the connection.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace healthcheckd::master {

struct HttpExchange {
    enum class End { whole, late, too_large, broken };
    End end = End::broken;
    int status = 0;      // of HTTP
    std::string body;    // when whole
    std::string detail;  // what is broken
};

// POSTs `body` as text/xml to /RPC2 and reads the answer: at most `most` bytes of body and 64 KiB of headers,
// all before `deadline`. `login`: base64 of "user:password", or empty. The socket must be non-blocking.
HttpExchange post_over(int socket, std::string_view login, std::string_view body, std::size_t most,
                       std::chrono::steady_clock::time_point deadline);

}  // namespace healthcheckd::master
