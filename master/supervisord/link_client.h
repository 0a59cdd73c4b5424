// Blocking calls to supervisord through the link process, for children. Action.
#pragma once

#include "common/system/unique_fd.h"
#include "common/wire/protocol_supervisord.h"

#include <chrono>
#include <string>

namespace healthcheckd::master {

struct CallResult {
    int code = kCallLinkLost;  // CallCode
    std::string message;       // for people: what supervisord or the transport said
    ProgramLine program;       // op info
    SettingsLine settings;     // op settings
    std::string stream, text;  // op tail; at most 16 KiB; after a failure "file" and a path, or nothing

    bool ok() const { return code == kCallOk; }
};

class LinkClient {
public:
    // `socket`: the peer socket whose other end the master passed to the link.
    explicit LinkClient(UniqueFd socket) : socket_(std::move(socket)) {}
    virtual ~LinkClient() = default;

    // Makes one call and waits for the answer, with the timeout `limit`. All errors are in CallResult::code.
    virtual CallResult call(std::string_view op, std::string_view name, std::chrono::milliseconds limit);

private:
    UniqueFd socket_;
    std::uint64_t seq_ = 0;
};

}  // namespace healthcheckd::master
