// Gives back what only the start needed of the program's and the libraries' files. Master.
#pragma once

namespace healthcheckd::master {

// Unmaps the pages of code and constants that are mapped now: binding every symbol of every library at the
// start (-z now) has touched megabytes that are never looked at again. What is needed comes back from the
// page cache, page by page (madvise(2), MADV_DONTNEED of a private mapping of a file that was never written
// to).
void release_library_pages();

}  // namespace healthcheckd::master
