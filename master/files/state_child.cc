#include "master/files/state_child.h"

#include "common/file/durable_file.h"
#include "common/wire/say.h"

#include <utility>

namespace healthcheckd::master {

int run_write_state(const std::string& dir, const StateTexts& files) {
    int status = 0;
    for (const auto& [name, file] : files) {
        auto written = file.keep_as.empty() ? Result<void>() : keep_file(dir, name, file.keep_as);
        if (written)
            written = replace_file(dir, name, file.text, file.mode);
        if (!written && std::exchange(status, 1) == 0)
            say(Broken{written.error().text()});
    }
    return status;
}

}  // namespace healthcheckd::master
