#include "common/system/path_watch.h"

#include <sys/stat.h>

namespace healthcheckd {

namespace {

std::pair<dev_t, ino_t> identity(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return {0, 0};
    return {status.st_dev, status.st_ino};
}

}  // namespace

PathWatch::PathWatch(std::vector<std::string> paths) {
    for (std::string& path : paths) {
        const auto file = identity(path);
        places_.push_back(Place{std::move(path), file});
    }
}

std::string PathWatch::replaced() const {
    for (const Place& place : places_) {
        const auto now = identity(place.path);
        if (now != std::pair<dev_t, ino_t>{0, 0} && now != place.file)
            return place.path;
    }
    return {};
}

}  // namespace healthcheckd
