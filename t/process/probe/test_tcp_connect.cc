// Connections to addresses: their limit, what interrupts them, which one wins, and how they end.
#include "t/fixture/basics.h"
#include "t/fixture/net/listener.h"
#include "t/fixture/net/raw_server.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"
#include "worker/probe/tcp_connect.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sys/time.h>
#include <vector>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace healthcheckd::worker;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_tcp_connect)

namespace {

// A port of loopback where a connection gets no answer: the kernel drops what comes when the backlog is full.
class DeafListener {
public:
    explicit DeafListener(int family = AF_INET) : family_(family), listener_(family, 0) {
        if (port() == 0)
            return;
        const SocketAddress address = where();
        for (int i = 0; i < 8; ++i) {
            clients_.emplace_back(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            (void)::connect(clients_.back().get(), reinterpret_cast<const sockaddr*>(&address.storage),
                            address.size);
        }
    }
    int port() const { return listener_.port(); }
    SocketAddress where() const {
        return fixed_addresses(family_ == AF_INET6 ? "::1" : "127.0.0.1", port()).at(0);
    }

private:
    int family_;
    Listener listener_;
    std::vector<UniqueFd> clients_;
};

}  // namespace

// The first address of localhost may have been given more time than there was, by a machine that stood still.
BOOST_AUTO_TEST_CASE(without_time_left_it_is_a_timeout_and_not_a_missing_socket) {
    const DeafListener deaf;
    for (const auto limit : {0ms, -1ms, -10ms, -2'000ms}) {
        const Connection connection = connect_first({deaf.where()}, std::chrono::steady_clock::now() + limit);
        BOOST_TEST(!connection.fd);
        BOOST_TEST_REQUIRE(connection.refusals.size() == 1u);
        BOOST_TEST(connection.refusals[0].error == ETIMEDOUT);
        BOOST_TEST(!connection.refusals[0].no_socket);
    }
}

// As stopping and continuing the process does, or freezing its cgroup (signal(7)).
BOOST_AUTO_TEST_CASE(an_interruption_neither_ends_the_wait_nor_prolongs_it) {
    const DeafListener deaf;
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {
    };
    struct sigaction before {};
    ::sigaction(SIGALRM, &nothing, &before);
    const itimerval once{{0, 0}, {0, 50'000}};
    const itimerval often{{0, 50'000}, {0, 50'000}};
    for (const itimerval& interruptions : {once, often}) {
        ::setitimer(ITIMER_REAL, &interruptions, nullptr);
        const auto begin = std::chrono::steady_clock::now();
        const Connection connection = connect_first({deaf.where()}, begin + 320ms);
        const auto took = std::chrono::steady_clock::now() - begin;
        const itimerval none{};
        ::setitimer(ITIMER_REAL, &none, nullptr);
        BOOST_TEST_REQUIRE(connection.refusals.size() == 1u);
        BOOST_TEST(connection.refusals[0].error == ETIMEDOUT);
        BOOST_TEST((took >= 310ms && took < 1'500ms * slower()));
    }
    ::sigaction(SIGALRM, &before, nullptr);
}

// As a container's port that is forwarded for IPv4 only.
BOOST_AUTO_TEST_CASE(an_address_that_swallows_does_not_hide_one_that_answers) {
    const DeafListener deaf(AF_INET6);
    if (deaf.port() == 0)
        skip("no IPv6 loopback");
    const Listener answers(AF_INET, 16, deaf.port());
    BOOST_TEST_REQUIRE(answers.port() == deaf.port());
    const auto begin = std::chrono::steady_clock::now();
    const auto addresses = fixed_addresses("localhost", deaf.port());
    BOOST_TEST_REQUIRE(addresses.size() == 2u);
    BOOST_TEST(addresses[0].storage.ss_family == AF_INET6);
    const Connection connection = connect_first(addresses, begin + 3s);
    BOOST_TEST(!!connection.fd);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 1s * slower()));
}

// Before the second call of whoever waits for the connection.
BOOST_AUTO_TEST_CASE(a_connection_that_was_accepted_and_reset_was_accepted) {
    const RawServer server(&reset_at_close);
    for (int i = 0; i < 100; ++i) {
        const Connection connection =
            connect_first(fixed_addresses("127.0.0.1", server.port()), std::chrono::steady_clock::now() + 3s);
        BOOST_TEST(!!connection.fd);
    }
}

BOOST_AUTO_TEST_CASE(many_addresses_are_tried_with_both_families_in_turn) {
    const Listener server(AF_INET);
    const int closed = free_port();
    std::vector<SocketAddress> addresses;
    for (int i = 0; i < 20; ++i)
        addresses.push_back(fixed_addresses("::1", closed).at(0));
    addresses.push_back(fixed_addresses("127.0.0.1", server.port()).at(0));
    const Connection connection = connect_first(addresses, std::chrono::steady_clock::now() + 3s);
    BOOST_TEST(!!connection.fd);
    BOOST_TEST(connection.refusals.size() == 1u);
    addresses.pop_back();
    BOOST_TEST(connect_first(addresses, std::chrono::steady_clock::now() + 3s).refusals.size() == 16u);
}

BOOST_AUTO_TEST_SUITE_END()
