// Reads a configuration file and checks who can change and read it. Configuration child.
#pragma once

#include "common/config/draft.h"

#include <optional>
#include <string>

namespace healthcheckd::master {

struct FileText {
    std::string text;
    bool readable_by_all = false;
};

// Reads at most 1 MB of a regular file; does not wait for the writer of a FIFO. Rejects a file that users
// other than root and the caller can write: its commands would run as healthcheckd's user. Returns nullopt on
// failure, after adding an error to `diagnostics`.
std::optional<FileText> read_config_file(const std::string& path, Diagnostics& diagnostics);

}  // namespace healthcheckd::master
