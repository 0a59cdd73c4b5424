#include "worker/probe/name_lookup.h"

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <system_error>
#include <thread>

namespace healthcheckd::worker {

namespace {

// Shared by the caller and the thread: the last of them frees it.
struct Question {
    std::string host, port;
    std::mutex mutex;  // protects all members below
    std::condition_variable answered;
    bool done = false;
    Lookup lookup;
};

// What this machine lacked for a look-up. The C library takes a file or a name server that it could not open for one
// that does not know the name.
bool is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS || error == EIO;
}

Lookup outcome_of(int code, int error) {
    Lookup lookup;
    if (is_shortage(error)) {
        lookup.reason = system_error("name service", error).text();
        return lookup;
    }
    switch (code) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        lookup.outcome = Lookup::Outcome::no_such_name;
        return lookup;
    case EAI_SYSTEM:
        lookup.reason = system_error("name service", error).text();
        return lookup;
    default:
        lookup.reason = ::gai_strerror(code);
        return lookup;
    }
}

Lookup ask(const Question& question) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    errno = 0;
    if (const int code = ::getaddrinfo(question.host.c_str(), question.port.c_str(), &hints, &found);
        code != 0)
        return outcome_of(code, errno);
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
    Lookup lookup;
    lookup.outcome = Lookup::Outcome::found;
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        SocketAddress& address = lookup.addresses.emplace_back();
        std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
        address.size = entry->ai_addrlen;
    }
    return lookup;
}

void answer(Question& question) {
    Lookup lookup;
    try {
        lookup = ask(question);
    } catch (const std::exception& error) {
        lookup.reason = error.what();
    }
    const std::lock_guard lock(question.mutex);
    question.lookup = std::move(lookup);
    question.done = true;
    question.answered.notify_one();
}

}  // namespace

Lookup look_up(const std::string& host, int port, std::chrono::steady_clock::time_point deadline) {
    const auto question = std::make_shared<Question>();
    question->host = host;
    question->port = std::to_string(port);
    try {
        std::thread([question] { answer(*question); }).detach();
    } catch (const std::system_error& error) {
        Lookup lookup;
        lookup.reason = system_error("no thread for the look-up", error.code().value()).text();
        return lookup;
    }
    std::unique_lock lock(question->mutex);
    if (!question->answered.wait_until(lock, deadline, [&] { return question->done; })) {
        Lookup lookup;
        lookup.outcome = Lookup::Outcome::not_in_time;
        return lookup;
    }
    return std::move(question->lookup);
}

}  // namespace healthcheckd::worker
