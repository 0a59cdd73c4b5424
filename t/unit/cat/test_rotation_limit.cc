// A worker that keeps its rotated logs open cannot fill the disk.
#include "master/files/rotation_limit.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(test_rotation_limit)

BOOST_AUTO_TEST_CASE(what_one_life_can_keep_is_bounded_by_bytes_and_ten_logs_are_always_granted) {
    for (const std::uint64_t max_bytes :
         {10'000ull, 1'000'000ull, 10'000'000ull, 100'000'000ull, 1'000'000'000'000ull}) {
        RotationLimit limit(max_bytes);
        std::uint64_t granted = 0;
        while (granted < 10'000 && limit.take())
            ++granted;
        BOOST_TEST(granted >= 10u);
        BOOST_TEST((granted == 10 || granted * log_file_limit(max_bytes) <= RotationLimit::kMostBytes),
                   granted << " of " << max_bytes);
        BOOST_TEST(!limit.take());
        limit.give_back();
        BOOST_TEST(limit.take());
        BOOST_TEST(!limit.take());
    }
}

BOOST_AUTO_TEST_SUITE_END()
