#include "worker/reporter.h"

#include "common/channel.h"

namespace healthcheckd::worker {

void Reporter::write(LineWriter line) {
    if (!closed_ && !write_line(fd_, line.line()))
        closed_ = true;
}

}  // namespace healthcheckd::worker
