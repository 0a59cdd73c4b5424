// A message in the spool: made once, then delivered, tried again, or given up. Mailer.
#pragma once

#include "common/system/result.h"
#include "master/mailer/delivery/letter.h"
#include "master/mailer/told.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

struct SpoolMessage : Letter {
    std::string name;  // of its file
    std::chrono::system_clock::time_point made;
    std::string subject;
    std::vector<std::string> notices;  // files whose content it has; removed once it is saved
    Told::Marks marks;                 // what it changed in what was told
    std::uint64_t lost = 0;            // notices that it says are lost
    bool partially_delivered = false;  // somebody got it; it is there for the others
    std::uint32_t tries = 0;
    std::string last_error;
};

std::string encode_message(const SpoolMessage& message);
// Fails on a text that encode_message() did not make. `name` is not part of the text.
Result<SpoolMessage> decode_message(std::string_view text, std::string name);

}  // namespace healthcheckd::master
