// Encoder and decoder of lines `kind key=value ... msg=rest`, the form of every message between processes.
// Every process.
//
// A line with its newline has at most PIPE_BUF bytes: a write(2) of that size to a pipe is atomic (pipe(7)).
// Values encode bytes up to 0x20, 0x7f and above, and '%' as %XX. `msg` comes last and extends to the end of
// the line, so it encodes only control bytes and '%'; text that does not fit is truncated.
#pragma once

#include <array>
#include <climits>
#include <cstdint>
#include <string>
#include <string_view>

namespace healthcheckd {

inline constexpr std::size_t kMaxLine = PIPE_BUF;  // 4096, with the newline

// Returns whether `a` and `b` are equal in the 9 significant digits that real() writes.
bool same_number(double a, double b);

// Builds one line in a buffer of its own. A line that does not fit becomes empty instead of being truncated.
class LineWriter {
public:
    explicit LineWriter(std::string_view kind) { raw(kind); }

    LineWriter& number(std::string_view key, std::uint64_t value);
    LineWriter& integer(std::string_view key, std::int64_t value);
    LineWriter& real(std::string_view key, double value);
    LineWriter& word(std::string_view key, std::string_view value);
    // Appends `msg`, truncated to the room that is left. Must be the last call before line().
    LineWriter& message(std::string_view text);

    // Returns the line with its newline; valid as long as the writer. Empty when a value did not fit.
    std::string_view line();

private:
    void raw(std::string_view text);
    void key(std::string_view name);
    bool encoded(char c, bool in_message);

    std::array<char, kMaxLine> buffer_;
    std::size_t size_ = 0;
    bool overflow_ = false;
    bool finished_ = false;
};

// Parses one line, key by key in the order of the grammar. Strict: any deviation makes ok() false for good,
// and so does a line longer than a LineWriter makes, or an unencoded byte that a LineWriter would encode.
class LineReader {
public:
    // `line` without its newline; must outlive the reader.
    explicit LineReader(std::string_view line);

    std::string_view kind() const { return kind_; }

    LineReader& number(std::string_view key, std::uint64_t& value);
    LineReader& number(std::string_view key, std::uint32_t& value);
    LineReader& integer(std::string_view key, std::int64_t& value);
    LineReader& integer(std::string_view key, int& value);
    LineReader& real(std::string_view key, double& value);
    LineReader& word(std::string_view key, std::string& value);
    LineReader& message(std::string& text);

    // Returns whether every key read so far was present, in order and well-formed, and nothing is left.
    bool ok() const { return ok_ && rest_.empty(); }

private:
    std::string_view value_of(std::string_view key);
    bool decode(std::string_view text, bool in_message, std::string& out);

    std::string_view kind_;
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace healthcheckd
