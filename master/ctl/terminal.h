// The terminal that healthcheckctl may be on. healthcheckctl.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <cstddef>
#include <string>
#include <termios.h>

namespace healthcheckd::ctl {

bool on_terminal(int fd);

// A terminal that knows colours, and no NO_COLOR in the environment (no-color.org).
bool wants_colours(int fd);

struct TerminalSize {
    std::size_t columns = 80;
    std::size_t lines = 24;
};
TerminalSize terminal_size(int fd);

// The terminal's other screen, without cursor, with keys that come at once and unseen. The destructor gives
// the terminal back as it was.
class FullScreen {
public:
    FullScreen();
    ~FullScreen();
    FullScreen(const FullScreen&) = delete;
    FullScreen& operator=(const FullScreen&) = delete;

    // Shows the lines from the top; what was there before is gone.
    void draw(const std::string& text) const;

private:
    termios before_{};
    bool keys_ = false;  // stdin is a terminal too
};

}  // namespace healthcheckd::ctl
