#include "master/supervisord/connector.h"

#include "common/sandbox/child_kinds.h"
#include "common/sandbox/sandbox.h"
#include "common/system/process_title.h"
#include "common/wire/channel.h"
#include "common/wire/say.h"

#include <poll.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kMostLimit{60'000};
// Additional time for the connector's answer: it is another process.
constexpr std::chrono::milliseconds kSlack{500};
constexpr char kEnded[] = "the process that connects to supervisord has ended";
constexpr std::chrono::milliseconds kSendPause{20};

// Returns whether the peer has closed the channel.
bool is_gone(const Error& error) {
    return error.code == EPIPE || error.code == ECONNRESET || error.code == ENOTCONN;
}

// Sends the result and the connection. When the system lacks room for it (ETOOMANYREFS, ENOBUFS,
// EAGAIN), retries until `deadline`, then sends that error without the connection. Returns false when
// the peer has closed the channel.
bool hand_over(int channel, Connection& made, Clock::time_point deadline) {
    for (;;) {
        const auto sent = send_packet(channel, encode(made.told).line(), made.socket.get());
        if (sent)
            return true;
        if (is_gone(sent.error()))
            return false;
        if (Clock::now() + kSendPause > deadline) {
            made.told.error = sent.error().code;
            break;
        }
        ::poll(nullptr, 0, static_cast<int>(kSendPause.count()));
    }
    made.socket.reset();
    const auto sent = send_packet(channel, encode(made.told).line());
    // Any other error: the link sees a timeout.
    return sent || !is_gone(sent.error());
}

int serve(int channel, const std::string& path, OwnerRule& rule, const SocketPlace& opened) {
    for (;;) {
        auto packet = receive_packet(channel, std::chrono::milliseconds(-1));
        Reach wish;
        if (!packet || !*packet || !decode((*packet)->line, wish))
            return 0;
        const auto limit =
            std::min<std::chrono::milliseconds>(std::chrono::milliseconds(wish.limit_ms), kMostLimit);
        const Clock::time_point deadline = Clock::now() + limit;
        Connection made = connect_here(path, rule, limit, &opened);
        made.told.seq = wish.seq;
        if (!hand_over(channel, made, deadline))
            return 0;
    }
}

// The main function of the connector. Its channel replaces the link's, which it must not keep open.
[[noreturn]] void live(UniqueFd channel, const Config& config, const std::string& path, OwnerRule rule,
                       pid_t link) {
    ::close(kControlFd);
    set_process_title(title_of(children::kConnector));
    const SocketPlace opened = find_socket(path, rule);
    const auto confined = enter_sandbox(connector_profile(opened), config.sandbox, link);
    if (!confined) {
        say(Broken{"the connector: sandbox: " + confined.error().text()});
        ::_exit(1);
    }
    ::_exit(serve(channel.get(), path, rule, opened));
}

}  // namespace

// The socket's owner: supervisord creates its socket as root with mode 0700 by default, so no other user
// could connect. A socket that does not exist yet may later belong to any user; uid 0 without capabilities
// can then connect to root's sockets and to those open to all.
SandboxProfile connector_profile(const SocketPlace& place) {
    SandboxProfile profile = profile_of(children::kConnector);
    profile.uid = place.socket ? place.uid : 0;
    profile.gid = place.socket ? place.gid : 0;
    return profile;
}

Connection connect_here(const std::string& path, OwnerRule& rule, std::chrono::milliseconds limit,
                        const SocketPlace* opened) {
    Connection made;
    const Clock::time_point deadline = Clock::now() + limit;
    const SocketPlace found = find_socket(path, rule);
    const bool shut_out = found.error == EACCES && opened != nullptr && opened->socket;
    PeerConnection peer = connect_to_peer(shut_out ? *opened : found, deadline);
    // Nobody listens at this socket any more: a restarted connector may find another one.
    if (shut_out && peer.error == ECONNREFUSED)
        peer.error = EACCES;
    made.told.error = peer.error;
    made.told.message = peer.refusal;
    made.told.owner = peer.uid;
    made.told.pid = peer.pid;
    if (!peer.socket)
        return made;
    made.told.believed = rule.believes(peer.uid);
    if (made.told.believed) {
        rule.seen = peer.uid;
        made.socket = std::move(peer.socket);
    }
    return made;
}

Result<Connector> Connector::start(const Config& config, std::string path, OwnerRule rule) {
    auto channel = make_seqpacket_pair();
    if (!channel)
        return channel.error();
    const pid_t link = ::getpid();
    // The connector gets no secrets: forks after this leave them out.
    { const SecretStore::Exposure none(*config.secrets, SecretStore::kLink); }
    const pid_t pid = ::_Fork();
    if (pid < 0)
        return system_error("fork");
    if (pid == 0) {
        channel->first.reset();
        live(std::move(channel->second), config, path, rule, link);
    }
    return Connector(std::move(channel->first));
}

Connection Connector::connect(std::chrono::milliseconds limit) {
    Connection made;
    const Clock::time_point deadline = Clock::now() + limit + kSlack;
    const std::uint64_t seq = ++seq_;
    // Not send_packet(): the filter of the link allows write(2) but no socket calls.
    if (!write_line(channel_.get(), encode(Reach{seq, static_cast<std::uint64_t>(limit.count())}).line())) {
        made.lost = kEnded;
        return made;
    }
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        auto packet = receive_packet(channel_.get(), std::max(left, std::chrono::milliseconds(0)));
        if (!packet && packet.error().code == ETIMEDOUT) {
            made.lost = "the process that connects to supervisord does not answer (is it stopped?)";
            return made;
        }
        if (!packet || !*packet || !decode((*packet)->line, made.told)) {
            made.lost = kEnded;
            return made;
        }
        if (made.told.seq != seq)
            continue;  // it answers a request that was given up
        made.socket = std::move((*packet)->attached);
        return made;
    }
}

}  // namespace healthcheckd::master
