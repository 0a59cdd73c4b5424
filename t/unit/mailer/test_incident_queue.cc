// Which incidents wait to be spooled when more come than the disk takes.
#include "master/mailer/incident_queue.h"

#include "t/fixture/checks.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(test_incident_queue)

namespace {

Incident incident(const std::string& cat, NoticeKind kind = NoticeKind::failed) {
    Incident one;
    one.kind = kind;
    one.request.cat_name = cat;
    one.request.channels = {"mail"};
    return one;
}

IncidentQueue with_a_batch() {
    IncidentQueue queue;
    for (std::size_t i = 0; i < IncidentQueue::kBatch; ++i)
        BOOST_TEST_REQUIRE(queue.add(incident("cat" + std::to_string(i % 100))));
    return queue;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_left_out_while_less_than_a_batch_waits) {
    const IncidentQueue queue = with_a_batch();
    BOOST_TEST(queue.all().size() == IncidentQueue::kBatch);
}

BOOST_AUTO_TEST_CASE(a_cat_that_goes_on_failing_never_fills_the_queue) {
    IncidentQueue queue = with_a_batch();
    for (int round = 0; round < 1'000; ++round)
        for (int cat = 0; cat < 200; ++cat)
            BOOST_TEST_REQUIRE(queue.add(incident("cat" + std::to_string(cat))));
    // One each of those that had none.
    BOOST_TEST(queue.all().size() == IncidentQueue::kBatch + 100);
}

BOOST_AUTO_TEST_CASE(what_says_something_else_waits_too) {
    IncidentQueue queue = with_a_batch();
    const auto added = [&queue](const Incident& one) {
        const std::size_t before = queue.all().size();
        BOOST_TEST(queue.add(one));
        return queue.all().size() - before;
    };
    BOOST_TEST(added(incident("cat1")) == 0U);
    BOOST_TEST(added(incident("cat1", NoticeKind::recovered)) == 1U);
    BOOST_TEST(added(incident("cat1")) == 1U);
    BOOST_TEST(added(incident("cat1")) == 0U);
    Incident elsewhere = incident("cat2");
    elsewhere.request.channels = {"webhook:ops"};
    BOOST_TEST(added(elsewhere) == 1U);
    Incident acted = incident("cat3");
    acted.action = &kRestartAction;
    BOOST_TEST(added(acted) == 1U);
    BOOST_TEST(added(acted) == 1U);
    BOOST_TEST(added(incident("cat3")) == 1U);
}

BOOST_AUTO_TEST_CASE(a_full_queue_takes_no_more_and_keeps_the_order) {
    IncidentQueue queue;
    for (std::size_t i = 0; i < IncidentQueue::kMost; ++i)
        BOOST_TEST_REQUIRE(queue.add(incident(std::to_string(i))));
    BOOST_TEST(!queue.add(incident("one more")));
    auto taken = queue.take();
    BOOST_TEST_REQUIRE(taken.size() == IncidentQueue::kBatch);
    BOOST_TEST(taken[0].request.cat_name == "0");
    queue.put_back(std::move(taken), 10);
    BOOST_TEST(queue.take()[0].request.cat_name == "10");
    BOOST_TEST(queue.has("600"));
    BOOST_TEST(!queue.has("9"));
}

BOOST_AUTO_TEST_SUITE_END()
