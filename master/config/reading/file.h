// Reads a configuration file, with a look at who may change and read it. Configuration child.
#pragma once

#include "common/config/draft.h"

#include <optional>
#include <string>

namespace healthcheckd::master {

struct FileText {
    std::string text;
    bool readable_by_all = false;
};

// Reads at most 1 MB of a regular file; does not wait for the writer of a FIFO. A file that others than root
// and the caller could have written is refused: its commands would run as healthcheckd's user. nullopt: not
// read, which then is an error in `complaints`.
std::optional<FileText> read_config_file(const std::string& path, Diagnostics& diagnostics);

}  // namespace healthcheckd::master
