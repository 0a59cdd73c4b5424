// How many log files one worker is given. Pure value. Master.
//
// A compromised worker may keep every log open that it was given, and the file then stays on the disk after
// the rotation has removed its name. The end of the worker releases all of them.
#pragma once

#include "common/file/log_file.h"

#include <algorithm>
#include <cstdint>

namespace healthcheckd::master {

class RotationLimit {
public:
    static constexpr std::uint64_t kFewest = 10;
    static constexpr std::uint64_t kMostBytes = 256u << 20;  // that it can keep, unless kFewest logs are more

    // `max_bytes`: logMaxBytes.
    explicit RotationLimit(std::uint64_t max_bytes)
        : left_(std::max(kFewest, kMostBytes / std::max<std::uint64_t>(1, log_file_limit(max_bytes)))) {}

    // Uses one rotation. Returns false when this worker has none left.
    bool take() { return left_ > 0 && left_-- > 0; }
    bool used_up() const { return left_ == 0; }
    // Takes one back: no log was given to the worker.
    void give_back() { ++left_; }

private:
    std::uint64_t left_;
};

}  // namespace healthcheckd::master
