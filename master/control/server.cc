#include "master/control/server.h"

#include "common/log/log.h"
#include "common/text/json.h"

#include <array>
#include <filesystem>
#include <sys/stat.h>
#include <sys/un.h>

namespace healthcheckd::master {

namespace {

constexpr int kBacklog = 64;

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

UniqueFd make_socket() {
    return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// Makes room for a socket at `path`: removes a stale one, at which no process listens.
Result<void> clear_place(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return errno == ENOENT ? Result<void>{} : system_error(path);
    if (!S_ISSOCK(status.st_mode))
        return Error{path + " is there and is no socket"};
    const UniqueFd probe = make_socket();
    const sockaddr_un address = address_of(path);
    if (!probe)
        return system_error("socket");
    // EAGAIN: a process listens and its backlog is full (unix(7)).
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
        errno == EAGAIN)
        return Error{"another healthcheckd answers at " + path};
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return system_error("unlink " + path);
    return {};
}

// Where the socket is until it listens: as long as `path`, since unix(7) leaves 107 bytes, and in its folder.
std::string waiting_place(std::string path) {
    path.back() = path.back() == '~' ? '-' : '~';
    return path;
}

// A socket that listens at `path`, mode 0600. It gets that name when it listens: who finds it there is never
// refused, and another daemon that starts meanwhile does not take it for a leftover.
Result<UniqueFd> listen_at(const std::string& path) {
    const std::string waiting = waiting_place(path);
    if (const auto cleared = clear_place(path); !cleared)
        return cleared.error();
    if (const auto cleared = clear_place(waiting); !cleared)
        return cleared.error();
    UniqueFd socket = make_socket();
    const sockaddr_un address = address_of(waiting);
    const mode_t before = ::umask(0177);  // never accessible to others, not even for a moment
    const bool bound =
        socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const int bind_error = errno;
    ::umask(before);
    if (!bound)
        return system_error("bind " + waiting, bind_error);
    if (::listen(socket.get(), kBacklog) != 0 || ::rename(waiting.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(waiting.c_str());
        return system_error("listen " + path, error);
    }
    return socket;
}

bool may_ask(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == ::geteuid());
}

Milliseconds limit_of(const ControlRequest& request) {
    return request.command->is_slow ? kSlowControlLimit : kControlLimit;
}

}  // namespace

ControlServer::ControlServer(Loop& loop, Handler handler)
    : loop_(loop), handler_(std::move(handler)), rest_(loop, [this] { connections_->resume(); }) {}

ControlServer::~ControlServer() {
    if (listening_)
        ::unlink(path_.c_str());
}

Result<void> ControlServer::listen(const std::string& path) {
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
    if (failure)
        return Error{"the folder of " + path, failure.value()};
    auto socket = listen_at(path);
    if (!socket)
        return socket.error();
    path_ = path;
    listening_ = std::move(*socket);
    connections_ = std::make_unique<FdWatch>(loop_, listening_.get(), FdWatch::For::reading,
                                             [this] { on_connection(); });
    return {};
}

ControlServer::Text ControlServer::refusal(const std::string& error) {
    const nlohmann::json answer{{"ok", false}, {"error", error}};
    return std::make_shared<const std::string>(json_text(answer) + '\n');
}

void ControlServer::on_connection() {
    for (int i = 0; i < kMostAtOnce; ++i) {
        UniqueFd fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (fd) {
            add(std::move(fd));
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            connections_->pause();
            rest_.start(kRest);
        }
        return;
    }
}

void ControlServer::add(UniqueFd fd) {
    if (!may_ask(fd.get()))
        return;
    // The oldest client has used up most of its time.
    if (clients_->size() >= kMostClients)
        clients_->erase(clients_->begin());
    const std::uint64_t id = ++last_id_;
    auto client = std::make_unique<Client>(
        Client{.fd = std::move(fd), .line = {}, .answer = {}, .watch = {}, .limit = {loop_, [this, id] {
                                                                                         clients_->erase(id);
                                                                                     }}});
    client->watch = std::make_unique<FdWatch>(loop_, client->fd.get(), FdWatch::For::reading,
                                              [this, id] { on_readable(id); });
    client->limit.start(kControlLimit);
    (*clients_)[id] = std::move(client);
}

void ControlServer::on_readable(std::uint64_t id) {
    Client& client = *clients_->at(id);
    std::array<char, kMaxLine> buffer;
    const ssize_t n = ::recv(client.fd.get(), buffer.data(), buffer.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == 0 && client.asked) {
        client.watch.reset();  // the request is complete; the client may still read the answer
        return;
    }
    if (n <= 0 || client.asked) {
        clients_->erase(id);
        return;
    }
    client.line.append(buffer.data(), static_cast<std::size_t>(n));
    const std::size_t end = client.line.find('\n');
    if (end == std::string::npos && client.line.size() < kMaxLine)
        return;
    client.asked = true;
    on_line(id, end == std::string::npos ? std::string_view() : std::string_view(client.line).substr(0, end));
}

void ControlServer::on_line(std::uint64_t id, std::string_view line) {
    ControlRequest request;
    if (!decode(line, request))
        return answer(id, refusal("not understood; is healthcheckctl of the same version as healthcheckd?"));
    (*clients_)[id]->limit.start(limit_of(request));
    handler_(request, [this, id, clients = std::weak_ptr<Clients>(clients_)](Text text) {
        if (const auto alive = clients.lock(); alive && alive->contains(id))
            answer(id, std::move(text));
    });
}

void ControlServer::answer(std::uint64_t id, Text text) {
    Client& client = *clients_->at(id);
    if (client.answer)
        return;
    client.answer = std::move(text);
    client.limit.start(kControlLimit);
    client.watch.reset();  // only one watch for a descriptor
    client.watch = std::make_unique<FdWatch>(loop_, client.fd.get(), FdWatch::For::writing,
                                             [this, id] { on_writable(id); });
}

void ControlServer::on_writable(std::uint64_t id) {
    Client& client = *clients_->at(id);
    const ssize_t n = ::send(client.fd.get(), client.answer->data() + client.sent,
                             client.answer->size() - client.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n >= 0)
        client.sent += static_cast<std::size_t>(n);
    if (n < 0 || client.sent == client.answer->size())
        clients_->erase(id);
}

}  // namespace healthcheckd::master
