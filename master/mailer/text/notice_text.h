// Notices in words: subject, one line, and all details. Mailer.
#pragma once

#include "master/notice/notice.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

// A notice that goes out, with what was told before of the same failure.
struct Telling {
    Notice notice;
    bool reminder = false;                             // the failure was told of before
    std::uint32_t repeats = 0;                         // firings since then that nobody was told of
    std::chrono::system_clock::time_point first = {};  // when the failure was told of first
};

// "HOST: gateway mem check failed", "HOST: 12 checks failed, 2 recovered", behind "[healthcheckd] ".
std::string subject_of(const std::vector<Telling>& tellings);

// "gateway mem check failed (cat1): rss 1031 MB ...; restart succeeded": one line without its end.
std::string summary_line(const Telling& telling);

// All that is known, in lines that end with LF.
std::string details_of(const Telling& telling);

// The value of a template's field (common/text/template.h).
std::string field_of(const Telling& telling, std::string_view name);

// "3 notices were lost ..." when `lost` is not 0, else "".
std::string loss_sentence(std::uint64_t lost);

}  // namespace healthcheckd::master
