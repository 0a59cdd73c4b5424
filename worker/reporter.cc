#include "worker/reporter.h"

#include "common/wire/channel.h"

namespace healthcheckd::worker {

// Not inlined: its line of 4096 bytes would lie on the stack of every worker for good, in the frame of live().
template <class Line> [[gnu::noinline]] void Reporter::write(const Line& line) {
    if (!closed_ && !write_line(fd_, encode(line).line()))
        closed_ = true;
}

void Reporter::send(const Ready& line) {
    write(line);
}
void Reporter::send(const Report& line) {
    write(line);
}
void Reporter::send(const OpenRequest& line) {
    write(line);
}
void Reporter::send(const RotateRequest& line) {
    write(line);
}
void Reporter::send(const Unlogged& line) {
    write(line);
}
void Reporter::send(const Broken& line) {
    write(line);
}

}  // namespace healthcheckd::worker
