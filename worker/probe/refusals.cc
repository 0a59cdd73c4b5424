#include "worker/probe/refusals.h"

#include "common/text/number.h"

#include <algorithm>

namespace healthcheckd::worker {

namespace {

// Returns whether only this path is barred: by a firewall of this machine, or because there is no local
// address.
bool is_barred(const Refusal& refusal) {
    return !refusal.no_socket &&
           (refusal.error == EACCES || refusal.error == EPERM || refusal.error == EADDRNOTAVAIL);
}

// Returns whether the other side, or the network, has answered.
bool is_answer(const Refusal& refusal) {
    return !refusal.no_socket && refusal.error != EAFNOSUPPORT && !is_barred(refusal);
}

// Returns how much a refusal tells about the program.
int weight(const Refusal& refusal) {
    if (!is_answer(refusal))
        return 0;
    return refusal.error == ETIMEDOUT ? 3 : refusal.error == ECONNREFUSED ? 2 : 1;
}

std::string own_trouble(const Refusal& refusal) {
    if (refusal.no_socket)
        return system_error("no socket for the check", refusal.error).text();
    switch (refusal.error) {
    case EACCES:
    case EPERM:
        return system_error("this machine does not allow the connection", refusal.error).text();
    case EADDRNOTAVAIL:
        return system_error("this machine has no free port, or no address, to connect from", refusal.error)
            .text();
    default:
        return system_error("this machine cannot connect", refusal.error).text();
    }
}

// Returns whether a resource was lacking, which the answer of another address does not make up for.
bool is_wanting(const Refusal& refusal, bool has_ipv6) {
    switch (refusal.error) {
    case EADDRNOTAVAIL:
        // Without an IPv6 address it is the normal result for IPv6.
        return refusal.family == AF_INET || has_ipv6;
    case EADDRINUSE:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return true;
    default:
        // A family that the kernel does not support says nothing about addresses of the other one.
        return refusal.no_socket && refusal.error != EAFNOSUPPORT;
    }
}

}  // namespace

Finding judge_refusals(const std::vector<Refusal>& refusals, bool has_ipv6, std::chrono::milliseconds limit) {
    const auto wanting = std::find_if(refusals.begin(), refusals.end(),
                                      [&](const Refusal& refusal) { return is_wanting(refusal, has_ipv6); });
    if (wanting != refusals.end())
        return {Verdict::unknown, own_trouble(*wanting)};
    const auto most =
        std::max_element(refusals.begin(), refusals.end(),
                         [](const Refusal& a, const Refusal& b) { return weight(a) < weight(b); });
    if (most == refusals.end())
        return {Verdict::failure, "no connection"};
    const auto barred = std::find_if(refusals.begin(), refusals.end(), &is_barred);
    if (weight(*most) == 0 && barred != refusals.end())
        return {Verdict::unknown, own_trouble(*barred)};
    if (most->error == ECONNREFUSED)
        return {Verdict::failure, "connection refused"};
    if (most->error == ETIMEDOUT)
        return {Verdict::failure,
                "no connection within " + number_text(std::chrono::duration<double>(limit).count()) + " s"};
    return {Verdict::failure, system_error("no connection", most->error).text()};
}

}  // namespace healthcheckd::worker
