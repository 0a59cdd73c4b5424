// Whether an action may begin is decided by what is known of the program at that moment.
#include "master/action/rules.h"
#include "t/fixture/cat_world.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_rules)

namespace {

struct Lab {
    explicit Lab(const CheckType& type) : world(type, 1) {
        const_cast<CatConfig&>(world.config->cats[0]).action = actions("restart");
        evidence.process = world.program.process;
    }
    std::string obstacle(const std::string& work = "") const {
        return rules.obstacle(*world.cat, evidence, work);
    }
    std::string refusal(const ActionType& action) const {
        return rules.refusal(*world.cat, &action, evidence);
    }

    CatWorld world;
    Report evidence;
    bool known = true, finishing = false;
    ActionRules rules{{[this](const std::string&) { return known ? &world.program : nullptr; },
                       [this](const std::string&) { return finishing; },
                       {{500, 1}, {1, 1}}}};
};

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_stands_in_the_way_of_the_process_that_was_measured) {
    Lab lab(kMemCheck);
    BOOST_TEST(lab.obstacle() == "");
    lab.known = false;
    BOOST_TEST(lab.obstacle() == "");
}

BOOST_AUTO_TEST_CASE(one_action_at_a_time_for_a_program) {
    Lab lab(kMemCheck);
    BOOST_TEST(lab.obstacle("kill of cat2") == "kill of cat2 is under way for web");
    lab.finishing = true;
    BOOST_TEST(lab.obstacle() == "an unfinished restart of web is being finished");
}

BOOST_AUTO_TEST_CASE(a_program_that_somebody_stops_is_left_alone) {
    for (const int state : {kStopping, kStopped}) {
        Lab lab(kHttpCheck);
        lab.world.program.state = state;
        BOOST_TEST(lab.obstacle() == "somebody is stopping web");
    }
}

BOOST_AUTO_TEST_CASE(a_verdict_about_an_earlier_process_moves_nobody) {
    Lab lab(kCpuCheck);
    lab.world.start_program(101);
    BOOST_TEST(lab.obstacle() == "the verdict is about pid 100, the program has pid 101 now");
}

BOOST_AUTO_TEST_CASE(a_restart_of_ours_is_no_reason_for_another_one) {
    Lab lab(kRestartCheck);
    lab.world.start_program(101);
    lab.rules.note_restart("web", lab.world.program.starts);
    BOOST_TEST(lab.obstacle() == "healthcheckd itself has just restarted web");
    lab.world.start_program(102);
    BOOST_TEST(lab.obstacle() == "");
}

BOOST_AUTO_TEST_CASE(healthcheckd_is_not_its_own_patient_by_any_action_that_ends_a_program) {
    Lab lab(kMemCheck);
    BOOST_TEST(lab.refusal(kRestartAction) == "");
    lab.world.program.process = {500, 1};
    for (const ActionType* action : {&kRestartAction, &kKillAction})
        BOOST_TEST(lab.refusal(*action).starts_with("healthcheckd itself runs by web (pid 500)"));
    BOOST_TEST(lab.refusal(kExecAction) == "");
    lab.world.program.process = {100, 1};
    lab.evidence.process = {1, 1};
    BOOST_TEST(lab.refusal(kKillAction).starts_with("healthcheckd itself runs by web (pid 1)"));
}

BOOST_AUTO_TEST_SUITE_END()
