#include "master/control/server.h"

#include "common/log/log.h"
#include "common/text/json.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sys/socket.h>
#include <utility>

namespace healthcheckd::master {

namespace {

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
    : loop_(loop), handler_(std::move(handler)), rest_(loop, [this] { connections_->resume(); }),
      next_try_(loop, [this] { start(path_); }) {}

void ControlServer::start(const std::string& path) {
    path_ = path;
    if (const auto listening = listen(path); !listening) {
        if (const std::string before = std::exchange(trouble_, listening.error().text()); trouble_ != before)
            log::error("", "healthcheckctl cannot ask: {}; tried again every {} s", trouble_,
                       std::chrono::duration_cast<std::chrono::seconds>(kTryAgain).count());
        return next_try_.start(kTryAgain);
    }
    if (!trouble_.empty())
        log::info("", "healthcheckctl can ask now, at {}", path);
    trouble_.clear();
}

Result<void> ControlServer::listen(const std::string& path) {
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
    if (failure)
        return Error{"the folder of " + path, failure.value()};
    auto socket = ControlSocket::listen_at(path);
    if (!socket)
        return socket.error();
    socket_ = std::move(*socket);
    connections_ =
        std::make_unique<FdWatch>(loop_, socket_->fd(), FdWatch::For::reading, [this] { on_connection(); });
    return {};
}

ControlServer::Text ControlServer::refusal(const std::string& error) {
    const nlohmann::json answer{{"ok", false}, {"error", error}};
    return std::make_shared<const std::string>(json_text(answer) + '\n');
}

void ControlServer::on_connection() {
    for (int i = 0; i < kMostAtOnce; ++i) {
        UniqueFd fd(::accept4(socket_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
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
    // Who waits for a slow answer has the latest deadline: such a client is dropped only for another one.
    if (clients_->size() >= kMostClients)
        clients_->erase(std::ranges::min_element(*clients_, {},
                                                 [](const auto& entry) { return entry.second->deadline; }));
    const std::uint64_t id = ++last_id_;
    auto client = std::make_unique<Client>(Client{.fd = std::move(fd),
                                                  .line = {},
                                                  .answer = {},
                                                  .watch = {},
                                                  .deadline = {},
                                                  .limit = {loop_, [this, id] {
                                                                clients_->erase(id);
                                                            }}});
    client->watch = std::make_unique<FdWatch>(loop_, client->fd.get(), FdWatch::For::reading,
                                              [this, id] { on_readable(id); });
    client->allow(kControlLimit);
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
    (*clients_)[id]->allow(limit_of(request));
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
    client.allow(kControlLimit);
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
