// The terminal of healthcheckctl. healthcheckctl.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <cstddef>
#include <string>
#include <termios.h>

namespace healthcheckd::ctl {

bool on_terminal(int fd);

// Returns whether `fd` is a terminal with colours, and NO_COLOR is not set (no-color.org).
bool wants_colours(int fd);

struct TerminalSize {
    std::size_t columns = 80;
    std::size_t lines = 24;
};
TerminalSize terminal_size(int fd);

// Switches the terminal to its alternate screen, without cursor, and to unbuffered input without echo.
// The destructor restores it.
class FullScreen {
public:
    FullScreen();
    ~FullScreen();
    FullScreen(const FullScreen&) = delete;
    FullScreen& operator=(const FullScreen&) = delete;

    // Replaces the screen's contents by `text`.
    void draw(const std::string& text) const;

private:
    termios before_{};
    bool keys_ = false;  // stdin is a terminal too
};

}  // namespace healthcheckd::ctl
