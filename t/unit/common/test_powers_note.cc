#include "common/sandbox/powers.h"
#include "master/process/powers_note.h"

#include <boost/test/unit_test.hpp>
#include <linux/capability.h>

using namespace healthcheckd;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(test_powers_note)

namespace {

constexpr std::uint32_t kAll = ~0U;

constexpr std::uint32_t without(int capability) {
    return kAll & ~(1U << capability);
}

}  // namespace

BOOST_AUTO_TEST_CASE(root_with_all_powers_says_nothing) {
    const PowersNote note = powers_note(kAll, true, true);
    BOOST_TEST(note.text.empty());
    BOOST_TEST(note.layers.empty());
}

BOOST_AUTO_TEST_CASE(one_line_names_what_is_missing_what_it_costs_and_how_a_container_gets_it) {
    BOOST_TEST(
        powers_note(without(CAP_SYS_PTRACE), true, true).text ==
        "without CAP_SYS_PTRACE: pss and uss of programs that changed their user themselves are unknown (a "
        "container gets capabilities by cap_add: [SYS_PTRACE])");
    BOOST_TEST(powers_note(without(CAP_KILL), true, true).text ==
               "without CAP_KILL: workers and mailer keep the user of healthcheckd; programs of other users "
               "cannot be "
               "killed (a container gets capabilities by cap_add: [KILL])");
    BOOST_TEST(
        powers_note(without(CAP_CHOWN), true, true).text ==
        "without CAP_CHOWN: the mailer keeps the user of healthcheckd, and the spool too (a container gets "
        "capabilities by cap_add: [CHOWN])");
    BOOST_TEST(
        powers_note(kAll, true, false).text ==
        "without other users in this user namespace: workers and mailer keep the user of healthcheckd");
    const std::string none = powers_note(0, true, true).text;
    BOOST_TEST(none.starts_with(
                   "without CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_KILL, CAP_SETGID, CAP_SETPCAP, CAP_SETUID, "
                   "CAP_SYS_PTRACE: "),
               none);
    BOOST_TEST(none.find("pss and uss of other users' programs are unknown") != std::string::npos, none);
    // cap_add gives nothing to a user who is not root.
    const std::string user = powers_note(0, false, true).text;
    BOOST_TEST(user.starts_with("without root's powers: "), user);
    BOOST_TEST(user.find("cap_add") == std::string::npos, user);
}

BOOST_AUTO_TEST_CASE(the_layers_that_this_explains_are_not_told_once_more) {
    const auto layers = [](std::uint32_t permitted, bool root, bool others) {
        return powers_note(permitted, root, others).layers;
    };
    using Names = std::vector<std::string_view>;
    BOOST_TEST((layers(without(CAP_SYS_PTRACE), true, true) == Names{"CAP_SYS_PTRACE"}));
    BOOST_TEST((layers(without(CAP_SETPCAP), true, true) == Names{"bounding set"}));
    BOOST_TEST((layers(kAll, true, false) == Names{"uid", "single uids"}));
    BOOST_TEST((layers(0, false, true) == Names{"uid", "single uids", "bounding set", "CAP_SYS_PTRACE"}));
}

BOOST_AUTO_TEST_CASE(files_are_given_away_only_where_they_can_still_be_used) {
    BOOST_TEST(may_change_users(kAll, true));
    BOOST_TEST(may_give_files(kAll, true));
    for (const int needed : {CAP_SETUID, CAP_SETGID, CAP_KILL}) {
        BOOST_TEST(!may_change_users(without(needed), true));
        BOOST_TEST(!may_give_files(without(needed), true));
    }
    for (const int needed : {CAP_CHOWN, CAP_DAC_OVERRIDE}) {
        BOOST_TEST(may_change_users(without(needed), true));
        BOOST_TEST(!may_give_files(without(needed), true));
    }
    BOOST_TEST(!may_change_users(kAll, false));
}

BOOST_AUTO_TEST_SUITE_END()
