// Connects to supervisord's socket for the link, so that the link itself, which reads what programs wrote,
// needs neither root nor a socket. Link, and its connector.
//
// The connector is a child of the link. It runs as whoever may connect to the socket, root mostly, and reads
// nothing but the link's wishes: it connects, looks who listens, and hands the connection over when that is
// somebody to be believed. It cannot be told where to connect to.
#pragma once

#include "common/config.h"
#include "common/protocol.h"
#include "common/sandbox.h"
#include "common/unique_fd.h"
#include "master/supervisor_owner.h"

#include <chrono>
#include <string>

namespace healthcheckd::master {

// What the connector to the socket at `path` may do.
SandboxProfile connector_profile(const std::string& path);

// What came of a wish for a connection.
struct Connection {
    UniqueFd socket;  // non-blocking; empty: see `told`
    Reached told;
    bool lost = false;  // the connector is gone
};

class Connector {
public:
    // Forks the connector, which confines itself. Called before the caller is confined, on its only thread,
    // and before it has read a secret.
    static Result<Connector> start(const Config& config, std::string path, OwnerRule rule);

    // Readable at its end when the connector is gone.
    int channel() const { return channel_.get(); }
    // Waits for a connection, for at most `limit`.
    Connection connect(std::chrono::milliseconds limit);

private:
    explicit Connector(UniqueFd channel) : channel_(std::move(channel)) {}

    UniqueFd channel_;
    std::uint64_t seq_ = 0;
};

// The same within the calling process, for one that may connect.
Connection connect_here(const std::string& path, OwnerRule& rule, std::chrono::milliseconds limit);

}  // namespace healthcheckd::master
