// Detects that a path leads to another file than before confinement. Worker.
//
// Landlock's rules apply to the files that existed when the rules were made (landlock(7)). After a package or
// a service manager has replaced such a file or folder, the worker cannot open the new one. It then exits,
// and its successor makes rules for the new files.
#pragma once

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace healthcheckd {

class PathWatch {
public:
    // Remembers the file behind each path; follows symbolic links.
    explicit PathWatch(std::vector<std::string> paths);

    // Returns the first path that now leads to another file, or to a file where there was none; "" when every
    // path leads to the same file or to none.
    std::string replaced() const;

private:
    struct Place {
        std::string path;
        std::pair<dev_t, ino_t> file;  // {0, 0}: nothing there
    };
    std::vector<Place> places_;
};

}  // namespace healthcheckd
