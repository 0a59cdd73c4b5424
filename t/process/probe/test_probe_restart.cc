#include "t/fixture/checks.h"
#include "t/fixture/process/worker_harness.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_probe_restart)

namespace {

CatConfig restart_cat() {
    CatConfig cat;
    cat.set_type(kRestartCheck);
    return cat;
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_restart_counts_as_one_failure) {
    WorkerHarness worker(restart_cat());
    BOOST_TEST(worker.first_line().starts_with("ready missing="));
    const Report two = worker.probe({123, 1}, "RUNNING", 2);
    BOOST_TEST(two.verdict == Verdict::failure);
    BOOST_TEST(two.weight == 2u);
    BOOST_TEST(two.value == 2);
    BOOST_TEST(two.message == "2 restarts since the last check");
    BOOST_TEST(worker.probe({123, 1}, "RUNNING", 1).message == "1 restart since the last check");
}

BOOST_AUTO_TEST_CASE(a_program_that_runs_on_is_a_success) {
    WorkerHarness worker(restart_cat());
    const Report report = worker.probe({123, 1});
    BOOST_TEST(report.verdict == Verdict::success);
    BOOST_TEST(report.value == 0);
    BOOST_TEST(report.weight == 1u);
}

BOOST_AUTO_TEST_CASE(a_crash_loop_counts_while_the_program_is_down) {
    WorkerHarness worker(restart_cat());
    const Report crash = worker.probe({}, "BACKOFF", 3);
    BOOST_TEST(crash.verdict == Verdict::failure);
    BOOST_TEST(crash.weight == 3u);
    const Report down = worker.probe({}, "BACKOFF: Exited too quickly", 0);
    BOOST_TEST(down.verdict == Verdict::idle);
    BOOST_TEST(down.message == "not running (BACKOFF: Exited too quickly)");
    const Report gave_up = worker.probe({}, "FATAL: Exited too quickly", 0);
    BOOST_TEST(gave_up.verdict == Verdict::failure);
    BOOST_TEST(gave_up.weight == 1u);
    BOOST_TEST(gave_up.message == "supervisord gave up starting it (FATAL: Exited too quickly)");
}

BOOST_AUTO_TEST_SUITE_END()
