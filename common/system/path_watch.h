// Noticing that a path now leads to another file than before confinement. Worker.
//
// Landlock's rules belong to the files that were there when they were made (landlock(7)). When a package or a
// service manager replaces such a file or folder, the worker can no longer open the new one. It then ends,
// and its successor gets rules for what is there now.
#pragma once

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace healthcheckd {

class PathWatch {
public:
    // Remembers what each path leads to now, symbolic links followed.
    explicit PathWatch(std::vector<std::string> paths);

    // The first path that leads to another file by now, or to one where none was; empty when all are the same
    // or gone.
    std::string replaced() const;

private:
    struct Place {
        std::string path;
        std::pair<dev_t, ino_t> file;  // {0, 0}: nothing there
    };
    std::vector<Place> places_;
};

}  // namespace healthcheckd
