// Connects to supervisord's socket on behalf of the link, so that the link, which parses what programs wrote,
// needs neither root nor access to the socket. Link, and its connector.
//
// The connector is a child of the link. It runs as a user that may connect to the socket, mostly root, and
// reads nothing but the link's requests: it connects, checks which process listens, and passes the connection
// on if that may be supervisord. The link cannot choose the address.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"
#include "common/system/unique_fd.h"
#include "common/wire/protocol_supervisord.h"
#include "master/trust/supervisor_owner.h"
#include "master/trust/supervisor_socket.h"

#include <chrono>
#include <string>

namespace healthcheckd::master {

// Returns the privileges of the connector to the socket `place`.
SandboxProfile connector_profile(const SocketPlace& place);

// The result of a request for a connection.
struct Connection {
    UniqueFd socket;  // non-blocking; empty: see `told`
    Reached told;
    std::string lost = {};  // why the connector is unusable; empty: it is usable
};

class Connector {
public:
    // Forks the connector, which confines itself. Call before the caller is confined, from its only thread,
    // and before it has read a secret.
    static Result<Connector> start(const Config& config, std::string path, OwnerRule rule);

    // Becomes readable, at end of file, when the connector is gone.
    int channel() const { return channel_.get(); }
    // Waits for a connection, with the timeout `limit`, and slightly longer for the connector's own
    // error. Without an answer the connector counts as lost: it was stopped, or hangs in a file system
    // on the way to the socket.
    Connection connect(std::chrono::milliseconds limit);

private:
    explicit Connector(UniqueFd channel) : channel_(std::move(channel)) {}

    UniqueFd channel_;
    std::uint64_t seq_ = 0;
};

// Connects from the calling process, for a user that may. `opened`: the socket as opened by a process that
// may enter all folders, for a user that may not; nullptr: none.
Connection connect_here(const std::string& path, OwnerRule& rule, std::chrono::milliseconds limit,
                        const SocketPlace* opened = nullptr);

}  // namespace healthcheckd::master
