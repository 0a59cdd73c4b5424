// Any bytes of a web server: a verdict that does not depend on the pieces in which they arrive, and never more kept than
// the limit.
#include "t/fuzz/targets.h"
#include "worker/probe/http_exchange.h"

#include <algorithm>
#include <tuple>

namespace healthcheckd::fuzz {

namespace {

using worker::HttpBody;
using worker::HttpHead;

constexpr std::size_t kMost = 1000;

// What the bytes are in pieces of `piece`: all that the verdict depends on, and whether the body is whole.
auto read_in(std::string_view bytes, std::size_t piece) {
    HttpHead head(kMost);
    std::optional<HttpBody> body;
    std::size_t read = 0;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        std::string_view part = bytes.substr(at, piece);
        if (!body) {
            const std::size_t taken = head.take(part);
            require(taken <= part.size(), "no more is taken than there is");
            require((read += taken) <= kMost, "heads have a limit");
            part.remove_prefix(taken);
            if (head.state() != HttpHead::State::complete) {
                require(part.empty() || head.state() != HttpHead::State::incomplete,
                        "nothing is passed over");
                continue;
            }
            body.emplace(head, false);
        }
        body->take(part);
    }
    head.end();
    const bool final = worker::is_final(head.status());
    require(head.state() != HttpHead::State::complete || final, "an interim head is no answer");
    require(head.status() == 0 || (head.status() >= 100 && head.status() <= 999),
            "a status has three digits");
    return std::tuple(head.state(), head.status(), head.length(), head.chunked(), head.closes(),
                      body && body->whole());
}

}  // namespace

int fuzz_answer(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = read_in(bytes, std::max<std::size_t>(size, 1));
    for (const std::size_t piece : {1u, 2u, 5u, 64u})
        require(read_in(bytes, piece) == whole, "pieces make no difference");
    return 0;
}

}  // namespace healthcheckd::fuzz
