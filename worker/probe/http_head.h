// Reads the heads of an HTTP/1.x response as they arrive (RFC 9112), and only what a probe needs of them: the status,
// where the body ends and whether the connection does. Worker (http).
//
// It is lenient where a server may be sloppy: lines without CR, a status line of another form, header lines that are none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace healthcheckd::worker {

// Names of headers, and words in their values, are compared without case.
bool same_word(std::string_view a, std::string_view b);

// Returns whether the status is not interim: 1xx except 101 is (RFC 9110, 15.2).
bool is_final(int status);

class HttpHead {
public:
    enum class State { incomplete, complete, no_http, too_large, line_too_long };

    // `most`: the bytes that all heads together may have.
    explicit HttpHead(std::size_t most) : most_(most) {}

    // Takes the next bytes and returns how many of them were read: the others are the body, behind a complete head,
    // or of no interest. Interim heads are skipped.
    std::size_t take(std::string_view bytes);
    // The connection has ended: that completes a final head without an empty line.
    void end();

    State state() const { return state_; }
    // Of the final head, or of the last interim one; 0: there was no status line.
    int status() const { return status_; }
    bool within_line() const { return !line_.empty(); }

    // Of a complete head. A length that is no number counts as none.
    std::optional<std::uint64_t> length() const { return length_; }
    bool chunked() const { return chunked_; }
    // Whether the server announced that it ends the connection.
    bool closes() const { return closes_; }

private:
    void on_line(std::string_view line);
    void on_status_line(std::string_view line);
    void on_header(std::string_view name, std::string_view value);

    const std::size_t most_;
    std::size_t taken_ = 0;
    State state_ = State::incomplete;
    std::string line_;  // the beginning of one that has not ended
    bool in_headers_ = false;
    int status_ = 0;
    std::optional<std::uint64_t> length_;
    bool chunked_ = false;
    bool closes_ = false;
};

}  // namespace healthcheckd::worker
