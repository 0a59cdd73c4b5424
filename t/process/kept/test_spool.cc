// What the spool costs an action that is about to begin.
#include "master/notice/spool.h"

#include "t/fixture/basics.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_spool)

BOOST_AUTO_TEST_CASE(a_flooded_spool_is_known_to_be_full_at_once_for_twenty_channels) {
    const TempDir dir;
    const Spool spool(dir.path().string());
    BOOST_TEST_REQUIRE(static_cast<bool>(spool.prepare()));
    const std::string first = spool.dir() + "/0.mail.notice";
    ::close(::open(first.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    for (int i = 1; i < 50'000; ++i)
        BOOST_TEST_REQUIRE(::link(first.c_str(), (spool.dir() + '/' + std::to_string(i)).c_str()) == 0);
    Incident incident;
    for (int i = 0; i < 20; ++i)
        incident.request.channels.push_back("webhook:hook" + std::to_string(i));
    incident.request.notice_id = "id";
    const auto begin = std::chrono::steady_clock::now();
    const auto written = spool.put_pending(incident);
    const auto took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST_REQUIRE(!written);
    BOOST_TEST((written.error().code == ENOSPC || written.error().code == ETIMEDOUT));
    BOOST_TEST(std::chrono::duration_cast<std::chrono::milliseconds>(took).count() < 150 * slower());
    BOOST_TEST(spool.list(kPendingFile).empty());
}

BOOST_AUTO_TEST_CASE(a_channel_that_has_its_share_leaves_the_room_to_the_others) {
    const TempDir dir;
    const Spool spool(dir.path().string());
    BOOST_TEST_REQUIRE(static_cast<bool>(spool.prepare()));
    for (int i = 0; i < 950; ++i)
        dir.write("spool/" + std::to_string(i) + ".mail.notice", "");
    Incident incident;
    incident.request.channels = {"mail", "webhook:hook"};
    incident.request.notice_id = "id";
    BOOST_TEST(!spool.put_pending(incident, 1min));
    const auto pending = spool.list(kPendingFile);
    BOOST_TEST_REQUIRE(pending.size() == 1U);
    BOOST_TEST(pending[0] == "id.webhook.hook.pending");
}

BOOST_AUTO_TEST_SUITE_END()
