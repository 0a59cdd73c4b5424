#include "master/ctl/terminal.h"

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace healthcheckd::ctl {

namespace {

// Control sequences of xterm, which all present terminals support.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // alternate screen, no cursor
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
        if (n < 0 && errno != EINTR)
            return;  // the terminal is gone, and SIGHUP will follow
        text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
    }
}

}  // namespace

bool on_terminal(int fd) {
    return ::isatty(fd) == 1;
}

bool wants_colours(int fd) {
    const char* no_color = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    return on_terminal(fd) && (no_color == nullptr || *no_color == '\0') &&
           (term == nullptr || std::string_view(term) != "dumb");
}

TerminalSize terminal_size(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {};
    return {size.ws_col, size.ws_row};
}

FullScreen::FullScreen() {
    if (on_terminal(STDIN_FILENO) && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
        keys_ = true;
        termios now = before_;
        now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        now.c_cc[VSUSP] = _POSIX_VDISABLE;  // a stopped process would leave the terminal like this
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
    }
    write_all(kEnter);
}

FullScreen::~FullScreen() {
    write_all(kLeave);
    if (keys_)
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

void FullScreen::draw(const std::string& text) const {
    std::string screen(kHome);
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        screen += rest.substr(0, end);
        screen += kClearLine;
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!rest.empty())
            screen += "\r\n";
    }
    screen += kClearBelow;
    write_all(screen);
}

}  // namespace healthcheckd::ctl
