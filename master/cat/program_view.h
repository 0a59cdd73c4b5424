// What a cat's probe is told of its program, or why nothing can be said about it. Master.
#pragma once

#include "master/cat/cat.h"
#include "master/supervisord/view.h"

namespace healthcheckd::master {

ProgramView program_view(const Cat& cat, const SupervisordView& supervisord);

}  // namespace healthcheckd::master
