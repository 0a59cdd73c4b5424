// Setting up descriptors before any file is opened. Master.
#pragma once

#include <optional>
#include <sys/resource.h>

namespace healthcheckd {

// Raises the soft limit to the hard limit, but not above 65536: each cat needs two descriptors in the master,
// and its program a pidfd.
void raise_descriptor_limit();

// Returns RLIMIT_NOFILE as it was before raise_descriptor_limit(), for programs that a higher limit breaks;
// nullopt: unknown. Returns the same value at each call, in children too.
std::optional<rlimit> descriptor_limit_at_start();

// Opens /dev/null on each of the descriptors 0 to 2 that is closed. Otherwise the next files would get these
// numbers, and output would be written into them.
void fill_standard_descriptors();

}  // namespace healthcheckd
