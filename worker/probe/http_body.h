// Tells when the body of an HTTP/1.1 response is whole (RFC 9112, section 6.3), so that a probe need not wait for more.
// Worker (http).
#pragma once

#include "worker/probe/http_head.h"

namespace healthcheckd::worker {

class HttpBody {
public:
    // `head`: complete. `none`: the request was one that gets no body, HEAD.
    HttpBody(const HttpHead& head, bool none);

    // Takes the next bytes. Those behind a body are of no interest.
    void take(std::string_view bytes);
    // Returns false also for a body that only the end of the connection ends, and for one that breaks the rules.
    bool whole() const { return part_ == Part::end; }
    std::uint64_t bytes() const { return bytes_; }

private:
    enum class Part { data, size, extension, data_end, trailer, until_close, end };
    void take_char(char c);

    Part part_ = Part::until_close;
    std::uint64_t left_ = 0;  // of the data
    bool chunked_ = false;
    bool line_empty_ = true;  // of a chunk's size or the trailers
    std::uint64_t bytes_ = 0;
};

}  // namespace healthcheckd::worker
