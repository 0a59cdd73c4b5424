// What a worker may say of a probe: each kind of lie is objected to, and nothing that a probe says is.
#include "t/fixture/checks.h"
#include "worker/report_rules.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_report_rules)

namespace {

CatConfig cat_of(const CheckType& type) {
    CatConfig cat;
    cat.set_type(type);
    return cat;
}

Report report(Verdict verdict, double value, double limit, std::string unit, std::uint32_t weight = 1) {
    Report made;
    made.verdict = verdict;
    made.value = value;
    made.limit = limit;
    made.unit = std::move(unit);
    made.weight = weight;
    return made;
}

bool taken(const Report& said, const CheckType& type, std::uint32_t restarts = 0,
           const std::string& state = "RUNNING") {
    ProbeCommand asked;
    asked.restarts = restarts;
    asked.state = state;
    asked.process.pid = state == "RUNNING" ? 7 : 0;
    return worker::objection_to(said, cat_of(type), asked).empty();
}

constexpr auto kSuccess = Verdict::success, kFailure = Verdict::failure, kIdle = Verdict::idle,
               kUnknown = Verdict::unknown;

}  // namespace

BOOST_AUTO_TEST_CASE(what_probes_say_is_taken) {
    BOOST_TEST(taken(report(kSuccess, 12.5, 1024, "MB"), kMemCheck));
    BOOST_TEST(taken(report(kFailure, 1024, 1024, "MB"), kMemCheck));
    BOOST_TEST(taken(report(kSuccess, 1023.9999999999, 1024, "MB"), kMemCheck));
    BOOST_TEST(taken(report(kFailure, 250, 90, "%"), kCpuCheck));
    BOOST_TEST(taken(report(kFailure, 3001, 3000, "ms"), kHttpCheck));
    BOOST_TEST(taken(report(kFailure, 2, 3000, "ms"), kTcpCheck));
    BOOST_TEST(taken(report(kUnknown, 2, 3000, "ms"), kTcpCheck));
    for (const Verdict verdict : {kIdle, kUnknown})
        for (const CheckType* type : {&kMemCheck, &kCpuCheck, &kHttpCheck})
            BOOST_TEST(taken(report(verdict, 0, 0, ""), *type));
    BOOST_TEST(taken(report(kFailure, 3, 1, "restarts", 3), kRestartCheck, 3));
    BOOST_TEST(taken(report(kFailure, 0, 1, "restarts"), kRestartCheck, 0, "FATAL: exited too quickly"));
    BOOST_TEST(taken(report(kIdle, 0, 1, "restarts"), kRestartCheck, 0, "STOPPED"));
    BOOST_TEST(taken(report(kSuccess, 0, 1, "restarts"), kRestartCheck));
}

BOOST_AUTO_TEST_CASE(each_kind_of_lie_is_objected_to) {
    for (const double value : {-1.0, std::nan(""), static_cast<double>(INFINITY)})
        BOOST_TEST(!taken(report(kSuccess, value, 1024, "MB"), kMemCheck), value);
    BOOST_TEST(!taken(report(kFailure, 5, 1, "MB"), kMemCheck));       // another limit
    BOOST_TEST(!taken(report(kFailure, 2000, 1024, "%"), kMemCheck));  // another unit
    BOOST_TEST(!taken(report(kFailure, 5, 1024, "MB"), kMemCheck));    // below its limit
    BOOST_TEST(!taken(report(kSuccess, 2000, 1024, "MB"), kMemCheck));
    BOOST_TEST(!taken(report(kFailure, 0, 0, ""), kHttpCheck));  // without a value
    BOOST_TEST(!taken(report(kIdle, 7, 0, ""), kMemCheck));      // a value of nothing
    BOOST_TEST(!taken(report(kFailure, 2000, 1024, "MB", 4'000'000'000), kMemCheck));
    BOOST_TEST(!taken(report(kSuccess, 1, 3000, "ms", 2), kHttpCheck));
    BOOST_TEST(!taken(report(kFailure, 9, 1, "restarts", 9), kRestartCheck, 3));
    BOOST_TEST(!taken(report(kFailure, 3, 1, "restarts", 4), kRestartCheck, 3));
    BOOST_TEST(!taken(report(kFailure, 0, 1, "restarts"), kRestartCheck));  // nothing has happened
    BOOST_TEST(!taken(report(kFailure, 0, 1, "restarts"), kRestartCheck, 0, "STOPPED"));
    BOOST_TEST(!taken(report(kSuccess, 0, 1, "restarts"), kRestartCheck, 0, "STOPPED"));
    BOOST_TEST(!taken(report(kSuccess, 3, 1, "restarts"), kRestartCheck, 3));
    BOOST_TEST(!taken(report(kSuccess, 0, 1, "restarts"), kRestartCheck, 0, "FATAL"));
}

BOOST_AUTO_TEST_SUITE_END()
