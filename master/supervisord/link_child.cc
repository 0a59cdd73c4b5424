#include "master/supervisord/link_child.h"

#include "common/file/folder_walk.h"
#include "common/net/resolver.h"
#include "common/sandbox/child_kinds.h"
#include "common/sandbox/sandbox.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"
#include "common/wire/line_codec.h"
#include "common/wire/protocol_supervisord.h"
#include "common/wire/say.h"
#include "master/supervisord/connector.h"
#include "master/supervisord/rpc.h"

#include <algorithm>
#include <csignal>
#include <functional>
#include <optional>
#include <poll.h>
#include <set>
#include <spdlog/fmt/ranges.h>
#include <vector>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kMaxPeers = 512;
static_assert(children::kLink.descriptors >= kMaxPeers + 32);
// For a host name: libcurl resolves it in a thread, and in further threads while an earlier lookup hangs.
constexpr rlim_t kMostTasks = 9;
// Descriptors polled before those of the peers.
constexpr std::size_t kBefore = 2;
// Timeout for all lines of one answer together: an action that does not read must not delay the others.
constexpr std::chrono::milliseconds kPeerPatience = 1s;
constexpr std::chrono::milliseconds kCallLimit = 5s;

void say_broken(const std::string& why) {
    // Possibly nobody reads it any more; then the exit status is all there is.
    say(Broken{why});
}

class LinkServer {
public:
    // `connector`: its channel, -1: none. `may_change_owner`: whether a restarted link may run its
    // connector as another user.
    LinkServer(SupervisorRpc& supervisor, int connector, bool may_change_owner)
        : supervisor_(supervisor), connector_(connector), may_change_owner_(may_change_owner) {}

    // Runs until the master closes its end. Returns the exit status.
    int run();

private:
    using Send = std::function<Result<void>(std::string_view line)>;

    std::optional<int> from_master();
    bool from_peer(int peer);
    Result<void> serve(const Call& call, const Send& send);
    SupervisorLine supervisord_of(const std::vector<ProgramLine>& programs, std::uint64_t seq);
    void tell_owner();
    void add_peer(UniqueFd peer);

    SupervisorRpc& supervisor_;
    const int connector_;
    const bool may_change_owner_;
    bool wrong_user_ = false;
    bool alone_ = false;  // the connector is gone
    std::string alone_why_ = "the process that connects to supervisord has ended";
    std::optional<uid_t> owner_;  // as reported to the master
    std::set<pid_t> told_;        // the processes in the last table
    pid_t supervisord_pid_ = 0;
    pid_t listener_ = kNoListener;
    std::vector<UniqueFd> peers_;
    std::size_t turn_ = 0;  // the peer that is served first
};

// Sends one packet with write(2), as the filter of the link allows no socket calls. An action's socket does
// not block.
Result<void> send_to_peer(int peer, std::string_view line, Clock::time_point deadline) {
    if (line.empty())
        return Error{"send", EMSGSIZE};
    for (;;) {
        if (::write(peer, line.data(), line.size()) >= 0)
            return {};
        if (errno != EAGAIN && errno != EINTR)
            return system_error("send");
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd room{peer, POLLOUT, 0};
        if (left.count() <= 0 || ::poll(&room, 1, static_cast<int>(left.count())) == 0)
            return Error{"send", ETIMEDOUT};
    }
}

// Makes one call and sends the result. Fails when the answer could not be sent.
Result<void> LinkServer::serve(const Call& call, const Send& send) {
    CallStatus status;
    AnswerLine answer;
    answer.seq = call.seq;
    Result<void> sent;
    const auto send_program = [&](ProgramLine program) {
        program.seq = call.seq;
        LineWriter line = encode(program);
        // Empty when a name is too long for a line: no check can be about such a program.
        if (line.line().empty() || !sent)
            return;
        sent = send(line.line());
        ++answer.count;
    };
    if (call.op == "list") {
        std::vector<ProgramLine> programs;
        status = supervisor_.list(programs);
        if (status.ok())
            sent = send(encode(supervisord_of(programs, call.seq)).line());
        std::for_each(programs.begin(), programs.end(), send_program);
    } else if (call.op == "info") {
        ProgramLine program;
        status = supervisor_.info(call.name, program);
        if (status.ok())
            send_program(program);
    } else if (call.op == "settings") {
        SettingsLine settings;
        settings.seq = call.seq;
        status = supervisor_.settings(call.name, settings);
        if (status.ok())
            sent = send(encode(settings).line());
    } else if (call.op == "tail") {
        TextLine piece;
        piece.seq = call.seq;
        std::string text;
        status = supervisor_.tail(call.name, piece.stream, text);
        // Splits text into pieces that fit a line even when every byte is percent-encoded.
        constexpr std::size_t kPiece = kMaxLine / 3 - 32;
        for (std::size_t at = 0; at < text.size() && sent; at += kPiece) {
            piece.text = text.substr(at, kPiece);
            sent = send(encode(piece).line());
        }
    } else if (call.op == "stop") {
        status = supervisor_.stop(call.name);
    } else if (call.op == "start") {
        status = supervisor_.start(call.name);
    } else {
        status = {kCallBadAnswer, "the link knows no call '" + printable(call.op, 100) + "'"};
    }
    answer.code = status.code;
    answer.message = status.message;
    wrong_user_ = supervisor_.denied() && may_change_owner_;
    alone_ = supervisor_.lost();
    if (alone_)
        alone_why_ = status.message;
    tell_owner();
    if (sent)
        sent = send(encode(answer).line());
    return sent;
}

// Returns which supervisord has just returned `programs`. Asks for its pid only when there is a process that
// was not in the last table, as there is after a change of supervisord.
SupervisorLine LinkServer::supervisord_of(const std::vector<ProgramLine>& programs, std::uint64_t seq) {
    std::set<pid_t> told;
    for (const ProgramLine& program : programs)
        if (program.pid != 0)
            told.insert(program.pid);
    const bool fresh = !std::ranges::includes(told_, told) || supervisor_.listener() != listener_;
    if (fresh || supervisord_pid_ == 0) {
        listener_ = supervisor_.listener();
        supervisord_pid_ = 0;
        (void)supervisor_.pid(supervisord_pid_);  // stays 0 without an answer
    }
    told_ = std::move(told);
    return {seq, supervisord_pid_, listener_};
}

// The master passes the owner to later links, which accept no other.
void LinkServer::tell_owner() {
    const auto owner = supervisor_.owner();
    if (!owner || owner == owner_)
        return;
    owner_ = owner;
    say(Owner{*owner});
}

void LinkServer::add_peer(UniqueFd peer) {
    // Above the maximum it is closed, which the action sees as a lost link.
    if (peer && peers_.size() < kMaxPeers && set_nonblocking(peer.get()))
        peers_.push_back(std::move(peer));
}

// Returns the exit status when the link must end, else nullopt.
std::optional<int> LinkServer::from_master() {
    auto packet = receive_packet_now(kControlFd);
    if (!packet && packet.error().code == EAGAIN)
        return std::nullopt;
    if (packet && !*packet)
        return 0;
    LinkCommand command;
    if (!packet || !decode((*packet)->line, command)) {
        say_broken("a line of the master cannot be understood");
        return 1;
    }
    if (std::holds_alternative<Peer>(command)) {
        add_peer(std::move((*packet)->attached));
        return std::nullopt;
    }
    const auto sent =
        serve(std::get<Call>(command), [](std::string_view line) { return write_line(kReportFd, line); });
    return sent ? std::nullopt : std::optional(1);
}

// Returns whether the peer is kept.
bool LinkServer::from_peer(int peer) {
    auto packet = receive_packet_now(peer);
    if (!packet)
        return packet.error().code == EAGAIN;
    LinkCommand command;
    if (!*packet || !decode((*packet)->line, command) || !std::holds_alternative<Call>(command))
        return false;
    const auto deadline_from_now = [&, deadline = Clock::time_point{}](std::string_view line) mutable {
        // The timeout begins when there is something to send, not while supervisord works.
        if (deadline == Clock::time_point{})
            deadline = Clock::now() + kPeerPatience;
        return send_to_peer(peer, line, deadline);
    };
    return static_cast<bool>(serve(std::get<Call>(command), deadline_from_now));
}

int LinkServer::run() {
    for (;;) {
        std::vector<pollfd> ready{{kControlFd, POLLIN, 0}, {connector_, 0, 0}};
        for (const UniqueFd& peer : peers_)
            ready.push_back({peer.get(), POLLIN, 0});
        if (::poll(ready.data(), ready.size(), -1) < 0) {
            if (errno == EINTR)
                continue;
            say_broken(system_error("poll").text());
            return 1;
        }
        // A peer that hung up has lost interest: an order that an ended action left unread must not be
        // carried out.
        if ((ready[0].revents & (POLLHUP | POLLERR)) != 0)
            return 0;
        if ((ready[1].revents & (POLLHUP | POLLERR)) != 0)
            alone_ = true;
        // peers_ only grows below, at its end, so that indexes in `ready` and peers_ match.
        if ((ready[0].revents & POLLIN) != 0)
            if (const auto status = from_master())
                return *status;
        // Serves one call of one peer in each round, in turns, so that the master waits for two calls at
        // most.
        bool served = false;
        for (std::size_t k = 0; k + kBefore < ready.size() && !wrong_user_ && !alone_; ++k) {
            const std::size_t i = (turn_ + k) % (ready.size() - kBefore);
            const short events = ready[i + kBefore].revents;
            if ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
                peers_[i].reset();
            } else if (!served && (events & POLLIN) != 0) {
                served = true;
                turn_ = i + 1;
                if (!from_peer(peers_[i].get()))
                    peers_[i].reset();
            }
        }
        std::erase_if(peers_, [](const UniqueFd& peer) { return !peer; });
        if (alone_) {
            say_broken(alone_why_);
            return 1;
        }
        if (wrong_user_) {
            say_broken("supervisord's socket is not for this user; to be started again as its owner");
            return 1;
        }
    }
}

int run(const Config& config, pid_t master, const ChildUser& user, std::optional<uid_t> seen) {
    // Makes write(2) to a closed peer return an error instead of killing the process.
    ::signal(SIGPIPE, SIG_IGN);
    auto endpoint = parse_endpoint(config.supervisord_url);
    if (!endpoint) {
        say_broken(config.file + ": config.supervisordUrl: " + endpoint.error().text());
        return 1;
    }
    const SandboxProfile profile = link_profile(*endpoint, user);
    const bool may_change_owner = endpoint->is_unix() && ::geteuid() == 0;
    OwnerRule rule = owner_rule(config, seen);
    rule.outside = outside_owner();
    std::optional<Connector> connector;
    SupervisorTransport::Connect connect;
    if (endpoint->is_unix()) {
        auto started = Connector::start(config, endpoint->socket_path, rule);
        if (!started) {
            say_broken("the connector: " + started.error().text());
            return 1;
        }
        connector.emplace(std::move(*started));
        connect = [&](std::chrono::milliseconds limit) {
            return connector->connect(limit);
        };
    }
    std::optional<Resolver> resolver;
    if (endpoint->needs_resolver)
        resolver.emplace(kCallLimit);
    SupervisorRpc supervisor(std::move(*endpoint), config, rule, std::move(connect), kCallLimit);
    auto confined = enter_sandbox(profile, config.sandbox, master);
    if (!confined) {
        say_broken("sandbox: " + confined.error().text());
        return 1;
    }
    if (!user.missing.empty())
        confined->emplace_back(user.missing);
    if (!write_line(kReportFd, encode(Ready{fmt::format("{}", fmt::join(*confined, ","))}).line()))
        return 1;
    return LinkServer(supervisor, connector ? connector->channel() : -1, may_change_owner).run();
}

}  // namespace

// For a unix socket, allows nothing but reading, writing and polling: the connector brings the connections.
SandboxProfile link_profile(const Endpoint& endpoint, const ChildUser& user) {
    SandboxProfile profile = profile_of(children::kLink);
    profile.uid = user.uid;
    profile.gid = user.gid;
    // The connector has another uid.
    if (user.single)
        profile.tasks = endpoint.needs_resolver ? kMostTasks : 1;
    if (endpoint.is_unix())
        return profile;
    profile.inet = true;
    profile.tcp_ports = {endpoint.port};
    if (endpoint.needs_resolver) {
        profile.threads = true;
        profile.datagrams = true;
        profile.open_files = true;
        profile.readable = resolver_files();
        profile.tcp_ports.push_back(kDnsPort);
    }
    return profile;
}

int run_link(const Config& config, pid_t master, const ChildUser& user, std::optional<uid_t> seen) noexcept {
    try {
        return run(config, master, user, seen);
    } catch (const std::exception& error) {
        say_broken(printable(error.what()));
        return 1;
    }
}

}  // namespace healthcheckd::master
