// Collects what a cat's probe is told of its program, or why nothing is known of it. Master.
#pragma once

#include "master/cat/cat.h"
#include "master/supervisord/view.h"

namespace healthcheckd::master {

ProgramView program_view(const Cat& cat, const SupervisordView& supervisord);

}  // namespace healthcheckd::master
