// Calls to supervisord by way of the link process, for children that wait. Action.
#pragma once

#include "common/system/unique_fd.h"
#include "common/wire/protocol.h"

#include <chrono>
#include <string>

namespace healthcheckd::master {

struct CallResult {
    int code = kCallLinkLost;  // CallCode
    std::string message;       // for a person: what supervisord or the transport said
    ProgramLine program;       // op info
    SettingsLine settings;     // op settings
    std::string stream, text;  // op tail; at most 16 KiB; after a failure "file" and a path, or nothing

    bool ok() const { return code == kCallOk; }
};

class LinkClient {
public:
    // `socket`: the peer socket that the master passed to the link.
    explicit LinkClient(UniqueFd socket) : socket_(std::move(socket)) {}
    virtual ~LinkClient() = default;

    // One call, waiting for its answer for at most `limit`. Never fails otherwise than by CallResult::code.
    virtual CallResult call(std::string_view op, std::string_view name, std::chrono::milliseconds limit);

private:
    UniqueFd socket_;
    std::uint64_t seq_ = 0;
};

}  // namespace healthcheckd::master
