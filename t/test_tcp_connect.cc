// One connection to an address: its limit, and what interrupts it.
#include "t/fixture/basics.h"
#include "t/fixture/listener.h"
#include "worker/tcp_connect.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sys/time.h>
#include <vector>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace healthcheckd::worker;
using namespace std::chrono_literals;

namespace {

// A port of loopback where a connection gets no answer: the kernel drops what comes when the backlog is full.
class DeafListener {
public:
    DeafListener() {
        const SocketAddress address = where();
        for (int i = 0; i < 8; ++i) {
            clients_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            (void)::connect(clients_.back().get(), reinterpret_cast<const sockaddr*>(&address.storage),
                            address.size);
        }
    }
    SocketAddress where() const { return fixed_addresses("127.0.0.1", listener_.port()).at(0); }

private:
    Listener listener_{AF_INET, 0};
    std::vector<UniqueFd> clients_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_tcp_connect)

// The first address of localhost may have been given more time than there was, by a machine that stood still.
BOOST_AUTO_TEST_CASE(without_time_left_it_is_a_timeout_and_not_a_missing_socket) {
    const DeafListener deaf;
    for (const auto limit : {0ms, -1ms, -10ms, -2'000ms}) {
        const auto connected = connect_once(deaf.where(), limit);
        BOOST_TEST_REQUIRE(!connected);
        BOOST_TEST(connected.error().what == "connect");
        BOOST_TEST(connected.error().code == ETIMEDOUT);
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
        const auto connected = connect_once(deaf.where(), 320ms);
        const auto took = std::chrono::steady_clock::now() - begin;
        const itimerval none{};
        ::setitimer(ITIMER_REAL, &none, nullptr);
        BOOST_TEST_REQUIRE(!connected);
        BOOST_TEST(connected.error().code == ETIMEDOUT, connected.error().text());
        BOOST_TEST((took >= 310ms && took < 1'500ms));
    }
    ::sigaction(SIGALRM, &before, nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
