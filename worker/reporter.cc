#include "worker/reporter.h"

#include "common/wire/channel.h"

namespace healthcheckd::worker {

// Each with a line of 4096 bytes on the stack that is gone when it returns.
void Reporter::send(const Ready& line) {
    write(encode(line));
}
void Reporter::send(const Report& line) {
    write(encode(line));
}
void Reporter::send(const OpenRequest& line) {
    write(encode(line));
}
void Reporter::send(const RotateRequest& line) {
    write(encode(line));
}
void Reporter::send(const Unlogged& line) {
    write(encode(line));
}
void Reporter::send(const Broken& line) {
    write(encode(line));
}

void Reporter::write(LineWriter&& line) {
    if (!closed_ && !write_line(fd_, line.line()))
        closed_ = true;
}

}  // namespace healthcheckd::worker
