// What a cat's probe is told of its program, or why nothing can be said about it. Master.
#pragma once

#include "master/cat/cat.h"
#include "master/supervisord/program_table.h"

#include <string_view>

namespace healthcheckd::master {

// What came of asking supervisord.
struct SupervisordAnswers {
    bool asked = false;      // there was an answer or a failure
    bool reached = false;    // supervisord has answered once
    std::string_view error;  // of the last question; empty: none
};

ProgramView program_view(const Cat& cat, const ProgramTable& table, const SupervisordAnswers& answers);

}  // namespace healthcheckd::master
