// The socket at which healthcheckctl asks: how it comes to its place, and that it leaves it. Master.
//
// The name appears when the socket listens: who finds it is never refused, and another daemon that starts
// meanwhile does not take it for a leftover. Until then the socket is in a folder of its own beside the place,
// where nothing can collide with it. A crash in between leaves that folder (.healthcheckd-XXXXXX), which is in
// nobody's way.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <memory>
#include <string>
#include <sys/stat.h>

namespace healthcheckd::master {

class ControlSocket {
public:
    // Returns a socket that listens at `path`, mode 0600. Replaces a leftover, a socket at which nobody listens;
    // fails when anything else is there.
    static Result<std::unique_ptr<ControlSocket>> listen_at(const std::string& path);
    // Removes the name, unless it has come to be another's.
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    int fd() const { return fd_.get(); }

private:
    ControlSocket(std::string path, UniqueFd fd, const struct stat& file)
        : path_(std::move(path)), fd_(std::move(fd)), device_(file.st_dev), inode_(file.st_ino) {}

    std::string path_;
    UniqueFd fd_;
    dev_t device_;
    ino_t inode_;
};

}  // namespace healthcheckd::master
