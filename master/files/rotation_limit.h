// How many logs a worker is given in its life. A value. Master.
//
// A worker that is taken over may keep every log that it was given open, and what it keeps stays on the disk
// after its rotation has removed the name. Its end gives all of it back.
#pragma once

#include "common/file/log_file.h"

#include <algorithm>
#include <cstdint>

namespace healthcheckd::master {

class RotationLimit {
public:
    static constexpr std::uint64_t kFewest = 10;
    static constexpr std::uint64_t kMostBytes = 256u << 20;  // that it can keep, where kFewest are not more

    // `max_bytes`: logMaxBytes.
    explicit RotationLimit(std::uint64_t max_bytes)
        : left_(std::max(kFewest, kMostBytes / std::max<std::uint64_t>(1, log_file_limit(max_bytes)))) {}

    // Takes one rotation; false when this life has had all of its own.
    bool take() { return left_ > 0 && left_-- > 0; }
    bool used_up() const { return left_ == 0; }
    // One that was taken came to nothing: no log was given.
    void give_back() { ++left_; }

private:
    std::uint64_t left_;
};

}  // namespace healthcheckd::master
