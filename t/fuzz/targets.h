// The fuzz targets: each takes arbitrary bytes, feeds them to one parser of text from outside, and aborts
// when a promise of that parser does not hold. `make fuzz` runs them under libFuzzer (entry.cc), `make
// fuzz-replay` repeats single inputs (replay.cc), `make check` repeats the committed ones
// (t/unit/test_fuzz_corpus.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace healthcheckd::fuzz {

using Target = int (*)(const std::uint8_t* data, std::size_t size);

int fuzz_protocol(const std::uint8_t* data, std::size_t size);
int fuzz_config(const std::uint8_t* data, std::size_t size);
int fuzz_supervisor(const std::uint8_t* data, std::size_t size);
int fuzz_transfer(const std::uint8_t* data, std::size_t size);
int fuzz_control(const std::uint8_t* data, std::size_t size);
int fuzz_answer(const std::uint8_t* data, std::size_t size);

// Whether these are the records of a configuration that fuzz_transfer gets as far as to compare.
bool is_transfer(const std::uint8_t* data, std::size_t size);

// Ends the run when a promise is broken, so that the fuzzer keeps the input.
inline void require(bool holds, const char* promise) {
    if (holds)
        return;
    std::fprintf(stderr, "broken promise: %s\n", promise);
    std::abort();
}

}  // namespace healthcheckd::fuzz
