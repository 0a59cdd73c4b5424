#include "master/mailer/delivery/transfer.h"

#include <algorithm>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

// Polling interval when there is no descriptor to wait for.
constexpr std::chrono::milliseconds kBlind{50};

}  // namespace

void Watch::wait() {
    timeval time{timeout.count() / 1000, (timeout.count() % 1000) * 1000};
    (void)::select(highest + 1, &read, &write, &except, &time);
}

void Connections::follow(CURL* curl) {
    libcurl().easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &Connections::on_open);
    libcurl().easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
    libcurl().easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, &Connections::on_close);
    libcurl().easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, this);
    const std::lock_guard lock(mutex_);
    connected_.reset();  // left by an earlier transfer that did not use it
}

void Connections::follow(CURL* curl, UniqueFd connected) {
    follow(curl);
    libcurl().easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, &Connections::on_socket);
    libcurl().easy_setopt(curl, CURLOPT_SOCKOPTDATA, this);
    const std::lock_guard lock(mutex_);
    connected_ = std::move(connected);
    if (cut_)
        connected_.reset();
}

bool Connections::is_cut() {
    const std::lock_guard lock(mutex_);
    return cut_;
}

void Connections::cut() {
    const std::lock_guard lock(mutex_);
    cut_ = true;
    for (const curl_socket_t each : open_)
        ::shutdown(each, SHUT_RDWR);
}

curl_socket_t Connections::on_open(void* self, curlsocktype, curl_sockaddr* address) {
    auto& all = *static_cast<Connections*>(self);
    const std::lock_guard lock(all.mutex_);
    if (all.cut_)
        return CURL_SOCKET_BAD;
    if (all.connected_) {
        all.given_ = all.connected_.release();
        all.open_.insert(all.given_);
        return all.given_;
    }
    const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    all.open_.insert(fd);
    return fd;
}

int Connections::on_socket(void* self, curl_socket_t socket, curlsocktype) {
    auto& all = *static_cast<Connections*>(self);
    const std::lock_guard lock(all.mutex_);
    return socket == all.given_ ? CURL_SOCKOPT_ALREADY_CONNECTED : CURL_SOCKOPT_OK;
}

// Closed under the lock: afterwards the number may belong to another file.
int Connections::on_close(void* self, curl_socket_t socket) {
    auto& all = *static_cast<Connections*>(self);
    const std::lock_guard lock(all.mutex_);
    all.open_.erase(socket);
    if (socket == all.given_)
        all.given_ = CURL_SOCKET_BAD;
    return ::close(socket);
}

Transfer::Transfer() : multi_(libcurl().multi_init(), libcurl().multi_cleanup), easy_(libcurl().easy_init()) {
    if (!multi_ || !easy_)
        throw std::runtime_error("libcurl has no memory for a transfer");
}

Transfer::~Transfer() {
    if (!begun_)
        return;
    // libcurl sends QUIT and would wait long for the reply: shutting down the socket prevents that.
    curl_socket_t connection = CURL_SOCKET_BAD;
    if (libcurl().easy_getinfo(easy_.get(), CURLINFO_ACTIVESOCKET, &connection) == CURLE_OK &&
        connection != CURL_SOCKET_BAD)
        ::shutdown(connection, SHUT_RD);
    libcurl().multi_remove_handle(multi_.get(), easy_.get());
}

void Transfer::begin() {
    libcurl().easy_setopt(easy_.get(), CURLOPT_NOSIGNAL, 1L);
    libcurl().easy_setopt(easy_.get(), CURLOPT_QUICK_EXIT, 1L);  // do not wait for a name lookup under way
    libcurl().easy_setopt(easy_.get(), CURLOPT_PROXY, "");
    if (libcurl().multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK)
        throw std::runtime_error("libcurl did not begin the transfer");
    begun_ = true;
}

std::optional<CURLcode> Transfer::step() {
    int running = 0;
    if (libcurl().multi_perform(multi_.get(), &running) != CURLM_OK)
        return CURLE_FAILED_INIT;
    int left = 0;
    for (const CURLMsg* message = nullptr;
         (message = libcurl().multi_info_read(multi_.get(), &left)) != nullptr;)
        if (message->msg == CURLMSG_DONE)
            return message->data.result;
    return std::nullopt;
}

void Transfer::watch(Watch& watch) const {
    int highest = -1;
    long timeout_ms = -1;
    if (libcurl().multi_fdset(multi_.get(), &watch.read, &watch.write, &watch.except, &highest) != CURLM_OK ||
        highest < 0)
        watch.limit(kBlind);
    watch.highest = std::max(watch.highest, highest);
    if (libcurl().multi_timeout(multi_.get(), &timeout_ms) == CURLM_OK && timeout_ms >= 0)
        watch.limit(std::chrono::milliseconds(timeout_ms));
}

}  // namespace healthcheckd::master
