// conf/healthcheckd.service lets healthcheckd do no more than it must. That it can do its job under it is not
// tested here: that takes a systemd.
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_systemd_unit)

BOOST_AUTO_TEST_CASE(its_exposure_is_below_4_by_systemd_analyze) {
    // --threshold is in tenths: the exit status is 1 above it.
    const CommandResult analyzed =
        run_command({installed("systemd-analyze"), "security", "--offline=true", "--threshold=39",
                     "--no-pager", (source_dir() / "conf/healthcheckd.service").string()});
    BOOST_TEST(analyzed.status == 0, analyzed.output);
    BOOST_TEST(analyzed.output.find("Overall exposure level for healthcheckd.service: ") != std::string::npos,
               analyzed.output);
}

BOOST_AUTO_TEST_SUITE_END()
