// The texts of notices: subject, summary line, and all details. Mailer.
#pragma once

#include "master/notice/notice.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

// A notice to be announced, with what was announced before of the same failure.
struct Telling {
    Notice notice;
    bool reminder = false;                             // the failure was announced before
    std::uint32_t repeats = 0;                         // firings since then that were not announced
    std::chrono::system_clock::time_point first = {};  // when the failure was first announced
};

// Returns "HOST: gateway mem check failed" or "HOST: 12 checks failed, 2 recovered", after "[healthcheckd] ".
std::string subject_of(const std::vector<Telling>& tellings);

// Returns "gateway mem check failed (cat1): rss 1031 MB ...; restart succeeded": one line without its
// newline.
std::string summary_line(const Telling& telling);

// Returns everything that is known, in lines that end with LF.
std::string details_of(const Telling& telling);

// Returns the value of a template's field (common/text/template.h).
std::string field_of(const Telling& telling, std::string_view name);

// Returns "3 notices were lost ..."; "" when `lost` is 0.
std::string loss_sentence(std::uint64_t lost);

}  // namespace healthcheckd::master
