// A message in the spool: written once, then delivered, retried or given up. Mailer.
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
    std::vector<std::string> notices;  // files that it contains; removed once it is saved
    Told::Marks marks;                 // the changes that it makes to Told
    std::uint64_t lost = 0;            // number of lost notices that it mentions
    bool partially_delivered = false;  // some recipients have received it; it is kept for the others
    std::uint32_t tries = 0;
    std::string last_error;
};

std::string encode_message(const SpoolMessage& message);
// Fails for a text that encode_message() cannot have made. `name` is not part of the text.
Result<SpoolMessage> decode_message(std::string_view text, std::string name);

}  // namespace healthcheckd::master
