// Frees pages of the program's and the libraries' files that only the start needed. Master.
#pragma once

namespace healthcheckd::master {

// Discards all pages of code and constants from memory: binding all symbols of all libraries at the start (-z
// now) has touched megabytes that are never used again. Pages that are needed are mapped again from the page
// cache (madvise(2), MADV_DONTNEED for a private file mapping that was never written to).
void release_library_pages();

}  // namespace healthcheckd::master
