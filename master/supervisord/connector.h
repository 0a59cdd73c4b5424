// Connects to supervisord's socket for the link, so that the link itself, which reads what programs wrote,
// needs neither root nor a socket. Link, and its connector.
//
// The connector is a child of the link. It runs as whoever may connect to the socket, root mostly, and reads
// nothing but the link's wishes: it connects, looks who listens, and hands the connection over when that is
// somebody to be believed. It cannot be told where to connect to.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"
#include "common/system/unique_fd.h"
#include "common/wire/protocol.h"
#include "master/trust/supervisor_owner.h"
#include "master/trust/supervisor_socket.h"

#include <chrono>
#include <string>

namespace healthcheckd::master {

// What the connector to the socket `place` may do.
SandboxProfile connector_profile(const SocketPlace& place);

// What came of a wish for a connection.
struct Connection {
    UniqueFd socket;  // non-blocking; empty: see `told`
    Reached told;
    std::string lost = {};  // why the connector is of no more use; empty: it is
};

class Connector {
public:
    // Forks the connector, which confines itself. Called before the caller is confined, on its only thread,
    // and before it has read a secret.
    static Result<Connector> start(const Config& config, std::string path, OwnerRule rule);

    // Readable at its end when the connector is gone.
    int channel() const { return channel_.get(); }
    // Waits for a connection, for at most `limit`, and a moment more for the connector's word that there is
    // none. Without that it is lost: it has been stopped, or hangs in a disk on the way to the socket.
    Connection connect(std::chrono::milliseconds limit);

private:
    explicit Connector(UniqueFd channel) : channel_(std::move(channel)) {}

    UniqueFd channel_;
    std::uint64_t seq_ = 0;
};

// The same within the calling process, for one that may connect. `opened`: the socket as a process found it
// that may enter all folders, for one that may not; null: none.
Connection connect_here(const std::string& path, OwnerRule& rule, std::chrono::milliseconds limit,
                        const SocketPlace* opened = nullptr);

}  // namespace healthcheckd::master
