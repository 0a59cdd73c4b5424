// One HTTP request and its response, over a connected socket. Link.
//
// libcurl 7.88 cannot use a connected socket (it ignores CURL_SOCKOPT_ALREADY_CONNECTED), and supervisord's
// unix socket needs no more than this: HTTP/1.0, one request for each connection.
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

// POSTs `body` as text/xml to /RPC2 and reads the response: at most `most` bytes of body and 64 KiB of
// headers, before `deadline`. `login`: base64 of "user:password", or empty. The socket must be non-blocking.
HttpExchange post_over(int socket, std::string_view login, std::string_view body, std::size_t most,
                       std::chrono::steady_clock::time_point deadline);

}  // namespace healthcheckd::master
