// What the master does when a nursery cannot be asked.
#include "master/nursery/nursery.h"
#include "t/fixture/basics.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <sys/resource.h>
#include <sys/socket.h>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_nursery)

namespace {

// The master's end, and one that nobody reads.
struct Unread {
    Unread() {
        std::array<int, 2> ends{};
        BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
        nursery.emplace(UniqueFd(ends[0]));
        other = UniqueFd(ends[1]);
    }
    bool was_sent_something() const {
        char byte;
        return ::recv(other.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
    }
    std::optional<Nursery> nursery;
    UniqueFd other;
};

std::shared_ptr<const Config> one_cat() {
    auto config = std::make_shared<Config>();
    config->cats.emplace_back();
    return config;
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_too_long_for_a_line_fail_that_order_alone_and_are_not_sent) {
    Unread end;
    const ChildUser user;
    std::string program;
    for (int i = 0; i < 1000; ++i)
        program += "\xe7\xbd\x91";
    const Birth birth{one_cat(), 0, "cat", program};
    const std::array orders{Nursery::Order{birth, "title", 0, 1, -1, user}};
    const auto pids = end.nursery->fork(orders);
    BOOST_TEST_REQUIRE(static_cast<bool>(pids));
    BOOST_TEST(pids->size() == 1U);
    BOOST_TEST(pids->front() == -ENAMETOOLONG);
    BOOST_TEST(!end.nursery->lost());
    BOOST_TEST(!end.was_sent_something());
}

BOOST_AUTO_TEST_CASE(a_master_without_a_descriptor_left_does_not_blame_the_nursery) {
    Unread end;
    const ChildUser user;
    const Birth birth{one_cat(), 0, "cat", "program"};
    const std::array orders{Nursery::Order{birth, "title", 0, 1, -1, user}};
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{3, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const auto pids = end.nursery->fork(orders);
    ::setrlimit(RLIMIT_NOFILE, &before);
    BOOST_TEST_REQUIRE(!pids);
    BOOST_TEST(pids.error().code == EMFILE);
    BOOST_TEST(!end.nursery->lost());
    BOOST_TEST(!end.was_sent_something());
}

BOOST_AUTO_TEST_CASE(a_nursery_that_has_ended_is_lost) {
    Unread end;
    end.other.reset();
    const ChildUser user;
    const Birth birth{one_cat(), 0, "cat", "program"};
    const std::array orders{Nursery::Order{birth, "title", 0, 1, -1, user}};
    BOOST_TEST(!end.nursery->fork(orders));
    BOOST_TEST(end.nursery->lost());
}

BOOST_AUTO_TEST_SUITE_END()
