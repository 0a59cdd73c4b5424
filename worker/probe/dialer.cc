#include "worker/probe/dialer.h"

#include "common/text/number.h"
#include "common/text/printable.h"
#include "worker/probe/name_lookup.h"
#include "worker/probe/refusals.h"

#include <spdlog/fmt/fmt.h>
#include <stdexcept>

namespace healthcheckd::worker {

namespace {

std::string seconds(std::chrono::milliseconds limit) {
    return number_text(std::chrono::duration<double>(limit).count()) + " s";
}

}  // namespace

Dialer::Dialer(std::string host, int port, std::chrono::milliseconds timeout)
    : host_(std::move(host)), port_(port), timeout_(timeout), fixed_(fixed_addresses(host_, port)) {
    if (!is_address(host_))
        resolver_.emplace(timeout);
}

Finding Dialer::unnamed(std::string reason) const {
    return {Verdict::unknown, fmt::format("name '{}' {}", printable(host_), reason)};
}

std::vector<SocketAddress> Dialer::addresses(std::chrono::steady_clock::time_point deadline,
                                             Finding& finding) {
    if (!resolver_) {
        // The interface of an IPv6 address may appear later.
        if (fixed_.empty())
            fixed_ = fixed_addresses(host_, port_);
        if (fixed_.empty())
            finding = {Verdict::failure,
                       fmt::format("'{}' is no address of an interface here", printable(host_))};
        return fixed_;
    }
    Lookup lookup = look_up(host_, port_, deadline);
    if (lookup.outcome != Lookup::Outcome::found)
        if (const std::string file = resolver_->replaced_file(); !file.empty())
            throw std::runtime_error(file + " was replaced");
    switch (lookup.outcome) {
    case Lookup::Outcome::found:
        break;
    case Lookup::Outcome::no_such_name:
        finding = {Verdict::failure, fmt::format("name '{}' does not exist", printable(host_))};
        break;
    case Lookup::Outcome::not_in_time:
        finding = unnamed("was not resolved within " + seconds(timeout_));
        break;
    case Lookup::Outcome::trouble:
        finding = unnamed("could not be resolved: " + lookup.reason);
        break;
    }
    return std::move(lookup.addresses);
}

Dialled Dialer::dial(std::chrono::steady_clock::time_point deadline) {
    Dialled dialled;
    const std::vector<SocketAddress> all = addresses(deadline, dialled.finding);
    if (all.empty())
        return dialled;
    Connection connection = connect_first(all, deadline);
    for (const Refusal& refusal : connection.refusals)
        has_ipv6_ = has_ipv6_ || (refusal.family == AF_INET6 && refusal.error == ECONNREFUSED);
    if (!connection.fd) {
        dialled.finding = judge_refusals(connection.refusals, has_ipv6_, timeout_);
        return dialled;
    }
    has_ipv6_ = has_ipv6_ || connection.family == AF_INET6;
    dialled.fd = std::move(connection.fd);
    return dialled;
}

}  // namespace healthcheckd::worker
