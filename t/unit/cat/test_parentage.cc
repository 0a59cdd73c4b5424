// Whose children are processes that supervisord's table names, by what is known of supervisord.
#include "master/supervisord/parentage.h"

#include <boost/test/unit_test.hpp>
#include <map>

using namespace healthcheckd;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(test_parentage)

namespace {

constexpr pid_t kProgram = 500;

// Processes by their number, and looks that are answered at once or by order.
struct Lab {
    std::map<pid_t, ProcessReader::Process> processes{{kProgram, {1, 100, 0}}};
    bool waits = false;
    std::vector<std::function<void()>> waiting;
    std::map<pid_t, Result<bool>> held;  // at the port; no entry: not to be seen
    Parentage parentage{[this](pid_t pid, ProcessReader::OnProcess done) {
                            const auto answer = [this, pid, done] {
                                const auto found = processes.find(pid);
                                done(found == processes.end()
                                         ? Result<ProcessReader::Process>(Error{"no process", ESRCH})
                                         : found->second);
                            };
                            if (waits)
                                waiting.push_back(answer);
                            else
                                answer();
                        },
                        [this](pid_t pid, std::uint16_t, const ProcessReader::OnHeld& done) {
                            const auto found = held.find(pid);
                            done(found == held.end() ? Result<bool>(Error{"fd", EACCES}) : found->second);
                        },
                        9001};

    // Why process kProgram is a stranger when `supervisord` answers; "-": there is no answer.
    std::string stranger(const SupervisorLine& supervisord) {
        parentage.use(supervisord);
        std::string why = "-";
        parentage.look(kProgram, [&](const Result<SeenProcess>& seen) { why = seen ? seen->stranger : "!"; });
        return why;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_child_of_the_process_that_supervisord_is_belongs_to_it) {
    Lab lab;
    BOOST_TEST(lab.stranger({1, 100, 100}) == "");
    BOOST_TEST(lab.stranger({2, 100, kNoListener}) == "", "over TCP");
    BOOST_TEST(lab.stranger({3, 0, 100}) == "", "whoever listens says enough");
}

BOOST_AUTO_TEST_CASE(a_child_of_anybody_else_does_not) {
    Lab lab;
    for (const SupervisorLine& supervisord :
         {SupervisorLine{1, 101, 101}, {2, 101, kNoListener}, {3, 2, 900}})
        BOOST_TEST(lab.stranger(supervisord)
                       .find("its parent is pid 100, and supervisord says that it is pid " +
                             std::to_string(supervisord.pid)) != std::string::npos);
    BOOST_TEST(lab.stranger({4, 0, kNoListener}).find("does not say which process") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_supervisord_that_made_itself_a_daemon_or_is_behind_a_proxy_is_who_it_says) {
    Lab lab;
    BOOST_TEST(lab.stranger({1, 100, 99}) == "", "who listened has ended");
    lab.processes[77] = {1, 1, 0};
    BOOST_TEST(lab.stranger({2, 100, 77}) == "", "a proxy");
    lab.processes[78] = {1, 1, 12};
    BOOST_TEST(lab.stranger({3, 100, 78}) == "", "a proxy in a container");
}

BOOST_AUTO_TEST_CASE(process_1_is_believed_only_where_it_is_seen_to_listen) {
    Lab lab;
    lab.processes[kProgram].ppid = 1;
    BOOST_TEST(lab.stranger({1, 1, 1}) == "", "at the unix socket");
    const std::string unproven = "supervisord says that it is process 1, and it cannot be seen";
    BOOST_TEST(lab.stranger({2, 1, kNoListener}).starts_with(unproven), "its descriptors cannot be read");
    lab.parentage.use({});
    lab.held.emplace(1, false);
    BOOST_TEST(lab.stranger({3, 1, kNoListener}).starts_with(unproven), "it does not listen");
    lab.parentage.use({});
    lab.held.insert_or_assign(1, true);
    BOOST_TEST(lab.stranger({4, 1, kNoListener}) == "", "it listens");
    lab.processes[77] = {1, 1, 0};
    BOOST_TEST(lab.stranger({5, 1, 77}).starts_with(unproven), "somebody passes connections on");
}

BOOST_AUTO_TEST_CASE(a_parent_is_proven_by_who_listens_and_not_by_a_number) {
    Lab lab;
    const auto proven = [&](const SupervisorLine& supervisord) {
        lab.parentage.use({});
        lab.parentage.use(supervisord);
        bool is = false;
        lab.parentage.look(kProgram, [&](const Result<SeenProcess>& seen) { is = seen->proven; });
        return is;
    };
    lab.processes[77] = {1, 1, 0};
    BOOST_TEST(proven({1, 100, 100}));
    BOOST_TEST(proven({2, 100, 99}), "it made itself a daemon");
    BOOST_TEST(!proven({3, 100, 77}), "a proxy");
    BOOST_TEST(!proven({4, 100, kNoListener}));
    lab.held.emplace(100, true);
    BOOST_TEST(proven({5, 100, kNoListener}));
}

BOOST_AUTO_TEST_CASE(a_number_that_nobody_has_here_is_a_strangers_where_supervisord_is_elsewhere) {
    Lab lab;
    lab.processes.erase(kProgram);
    BOOST_TEST(lab.stranger({1, 1, 0}).find("another pid namespace") != std::string::npos);
    BOOST_TEST(lab.stranger({2, 100, 100}) == "!", "it has ended");
}

BOOST_AUTO_TEST_CASE(in_another_pid_namespace_nobody_here_is_its_child) {
    Lab lab;
    lab.processes[kProgram].ppid = 1;
    lab.processes[4321] = {1, 1, 1};
    BOOST_TEST(lab.stranger({1, 1, 4321}).find("another pid namespace") != std::string::npos);
    BOOST_TEST(lab.stranger({2, 1, 0}).find("another pid namespace") != std::string::npos, "not to be seen");
}

BOOST_AUTO_TEST_CASE(a_look_waits_for_what_is_found_out_about_the_listener_and_is_answered_once) {
    Lab lab;
    lab.processes[kProgram].ppid = 1;
    lab.processes[4321] = {1, 1, 1};
    lab.waits = true;
    lab.parentage.use({1, 1, 4321});
    std::vector<std::string> answers;
    lab.parentage.look(kProgram, [&](const Result<SeenProcess>& seen) { answers.push_back(seen->stranger); });
    BOOST_REQUIRE(lab.waiting.size() == 2U);
    lab.waiting[1]();
    BOOST_TEST(answers.empty());
    lab.waiting[0]();
    BOOST_REQUIRE(answers.size() == 1U);
    BOOST_TEST(answers[0].find("another pid namespace") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_answer_about_an_earlier_listener_is_not_taken_for_one_about_the_present) {
    Lab lab;
    lab.processes[77] = {1, 1, 0};
    lab.processes[4321] = {1, 1, 100};
    lab.waits = true;
    lab.parentage.use({1, 100, 77});
    lab.parentage.use({2, 100, 4321});
    std::vector<std::string> answers;
    lab.parentage.look(kProgram, [&](const Result<SeenProcess>& seen) { answers.push_back(seen->stranger); });
    BOOST_REQUIRE(lab.waiting.size() == 3U);
    for (const std::size_t i : {2U, 0U})
        lab.waiting[i]();
    BOOST_TEST(answers.empty());
    lab.waiting[1]();
    BOOST_REQUIRE(answers.size() == 1U);
    BOOST_TEST(answers[0] != "");
}

BOOST_AUTO_TEST_SUITE_END()
