#include "worker/probe/http_exchange.h"

#include <algorithm>
#include <array>
#include <poll.h>

namespace healthcheckd::worker {

namespace {

constexpr std::chrono::milliseconds kCourtesy{200};
constexpr std::chrono::milliseconds kLastWait{100};
constexpr std::size_t kBuffer = 16 << 10;

}  // namespace

HttpExchange::Sent HttpExchange::send() {
    const std::array<std::string_view, 3> parts{request_.head, request_.body, request_.tail};
    while (part_ < parts.size()) {
        const std::string_view left = parts[part_].substr(sent_);
        if (left.empty()) {
            ++part_;
            sent_ = 0;
            continue;
        }
        const bool more = part_ + 1 < parts.size() && !parts[part_ + 1].empty();
        const ByteStream::Moved moved = stream_.send(left, more);
        if (moved.state == ByteStream::State::wait) {
            send_events_ = moved.events;
            return Sent::some;
        }
        if (moved.state != ByteStream::State::moved) {
            send_lost_ = moved.why;
            return Sent::none_more;
        }
        sent_ += moved.bytes;
    }
    return Sent::all;
}

// Returns nullopt when more has to come.
std::optional<HttpExchange::Answer> HttpExchange::read_head() {
    std::array<char, kBuffer> buffer;
    for (;;) {
        const ByteStream::Moved moved = stream_.receive(buffer.data(), buffer.size());
        switch (moved.state) {
        case ByteStream::State::wait:
            receive_events_ = moved.events;
            return std::nullopt;
        case ByteStream::State::lost:
            return Answer{End::lost, moved.why};
        case ByteStream::State::ended:
            ended_ = true;
            if (!send_lost_.empty())
                return Answer{End::lost, send_lost_};
            head_.end();
            break;
        case ByteStream::State::moved:
            break;
        }
        const std::string_view bytes(buffer.data(), moved.bytes);
        const std::size_t taken = head_.take(bytes);
        switch (head_.state()) {
        case HttpHead::State::complete:
            body_.emplace(head_, no_body_);
            body_->take(bytes.substr(taken));
            return Answer{End::answered};
        case HttpHead::State::no_http:
            return Answer{End::refused, "it is not HTTP/1.1"};
        case HttpHead::State::too_large:
            return Answer{End::refused, "headers larger than 64 KB"};
        case HttpHead::State::line_too_long:
            return Answer{End::refused, "a header line is too long"};
        case HttpHead::State::incomplete:
            if (ended_)
                return Answer{End::closed};
        }
    }
}

HttpExchange::Answer HttpExchange::ask(Clock::time_point deadline) {
    Sent sent = send();
    for (;;) {
        const auto events = static_cast<short>(receive_events_ | (sent == Sent::some ? send_events_ : 0));
        const bool in_time = wait_for(stream_.fd(), events, deadline);
        if (auto answer = read_head())
            return *answer;
        if (!in_time)
            return {End::late};
        if (sent == Sent::some)
            sent = send();
    }
}

void HttpExchange::finish(Clock::time_point deadline) {
    const auto end = std::min(Clock::now() + kCourtesy, deadline);
    std::array<char, kBuffer> buffer;
    while (body_ && !ended_ && !body_->whole() && body_->bytes() < kMaxBodyBytes && Clock::now() < end) {
        const ByteStream::Moved moved = stream_.receive(buffer.data(), buffer.size());
        if (moved.state == ByteStream::State::moved)
            body_->take({buffer.data(), moved.bytes});
        else if (moved.state == ByteStream::State::wait && !wait_for(stream_.fd(), moved.events, end))
            break;
        ended_ = moved.state == ByteStream::State::ended || moved.state == ByteStream::State::lost;
    }
    if (!ended_ && body_ && body_->whole() && head_.closes())
        (void)wait_for(stream_.fd(), POLLRDHUP, std::min(Clock::now() + kLastWait, deadline));
    stream_.close();
}

}  // namespace healthcheckd::worker
