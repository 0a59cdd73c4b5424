// `make demo` is the first thing that people run.
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_demo)

BOOST_AUTO_TEST_CASE(serial_the_demo_mends_all_four_faults_and_leaves_nothing_behind) {
    const CommandResult demo =
        run_command({(source_dir() / "t/demo/demo").string(), healthcheckd_binary()}, 120s);
    BOOST_TEST(demo.status == 0, demo.output);
    for (const char* program : {"leak", "spin", "web", "crash"})
        BOOST_TEST(demo.output.find(std::string("\n  ") + program) != std::string::npos, program);
    BOOST_TEST(demo.output.find("All processes have ended, the temporary folder is gone.") !=
                   std::string::npos,
               demo.output);
}

BOOST_AUTO_TEST_SUITE_END()
