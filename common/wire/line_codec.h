// Lines of `kind key=value ... msg=rest`, the shape of every message between processes. Every process.
//
// A line with its newline is at most PIPE_BUF bytes, so that one write(2) to a pipe is one whole line
// (pipe(7)). In a value, bytes up to 0x20, 0x7f and above, and '%' are written as %XX. `msg` comes last and
// runs to the end of the line, so there only control bytes and '%' are encoded, and text that does not fit is
// cut.
#pragma once

#include <array>
#include <climits>
#include <cstdint>
#include <string>
#include <string_view>

namespace healthcheckd {

inline constexpr std::size_t kMaxLine = PIPE_BUF;  // 4096, with the newline

// Are they the same as far as real() carries them, which is 9 digits?
bool same_number(double a, double b);

// Builds one line in a buffer of its own. A line whose values do not fit becomes empty, never torn.
class LineWriter {
public:
    explicit LineWriter(std::string_view kind) { raw(kind); }

    LineWriter& number(std::string_view key, std::uint64_t value);
    LineWriter& integer(std::string_view key, std::int64_t value);
    LineWriter& real(std::string_view key, double value);
    LineWriter& word(std::string_view key, std::string_view value);
    // Appends `msg`, cut to what fits. Nothing may follow it.
    LineWriter& message(std::string_view text);

    // The line with its newline; valid as long as the writer. Empty when something did not fit.
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

// Takes one line apart, key by key in the order that the grammar gives. Strict: any surprise makes ok()
// false, and it stays false; so do a line longer than a writer makes and a byte that a writer would encode.
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

    // Everything asked for was there, in order and well-formed, and nothing is left.
    bool ok() const { return ok_ && rest_.empty(); }

private:
    std::string_view value_of(std::string_view key);
    bool decode(std::string_view text, bool in_message, std::string& out);

    std::string_view kind_;
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace healthcheckd
