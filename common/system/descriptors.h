// The descriptors that a process begins with, before it opens any file. Master.
#pragma once

#include <optional>
#include <sys/resource.h>

namespace healthcheckd {

// Each cat costs the master two descriptors and its program a pidfd: as many as an administrator allows.
void raise_descriptor_limit();

// The limit of this process before it was raised, for programs that a higher one breaks; none: unknown.
// The same at each call, in children too.
std::optional<rlimit> descriptor_limit_at_start();

// Started with 0 to 2 closed, the next files would get these numbers, and what is printed or logged would be
// written into one of them.
void fill_standard_descriptors();

}  // namespace healthcheckd
