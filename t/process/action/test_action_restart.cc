// The restart action against scripted answers, for what a real supervisord does too rarely.
#include "master/action/type/restart.h"
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>
#include <deque>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_action_restart)

namespace {

ActionRequest request_for(const std::string& program, pid_t pid = 0) {
    ActionRequest request;
    request.program = program;
    request.evidence.process.pid = pid;
    return request;
}

// Answers calls in the order of a script and keeps what was asked.
class Scripted : public LinkClient {
public:
    explicit Scripted(std::deque<CallResult> answers)
        : LinkClient(UniqueFd()), answers_(std::move(answers)) {}

    CallResult call(std::string_view op, std::string_view, std::chrono::milliseconds) override {
        asked += std::string(asked.empty() ? "" : " ") + std::string(op);
        if (answers_.empty())
            return {};  // the link is lost
        CallResult answer = answers_.front();
        answers_.pop_front();
        return answer;
    }

    std::string asked;

private:
    std::deque<CallResult> answers_;
};

CallResult code(int number, const std::string& message = {}) {
    CallResult result;
    result.code = number;
    result.message = message;
    return result;
}

CallResult program(int state, pid_t pid, std::int64_t start = 1000) {
    CallResult result = code(kCallOk);
    result.program.name = "web";
    result.program.state = state;
    result.program.pid = pid;
    result.program.start = start;
    return result;
}

ActionResult play(Scripted& link, const ActionRequest& request = request_for("web", 12)) {
    RestartTiming quick;
    quick.persistence = 300ms;
    quick.start_grace = 300ms;
    quick.first_pause = quick.longest_pause = quick.retry_pause = 10ms;
    return restart_program(
        request, link, [](std::chrono::milliseconds, std::string_view) {}, quick);
}

const CallResult kFine = code(kCallOk);
const CallResult kSilent = code(kCallTimeout, "supervisord takes connections but did not answer");

CallResult with_startsecs(std::uint32_t startsecs, std::uint32_t stopwaitsecs = 0) {
    CallResult result = code(kCallOk);
    result.settings = {.seq = 0, .startsecs = startsecs, .stopwaitsecs = stopwaitsecs};
    return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_order_to_stop_whose_answer_got_lost_still_ends_in_a_start) {
    Scripted link({program(kRunning, 12), with_startsecs(1), kSilent, kSilent, program(kStopping, 12),
                   program(kStopped, 0), kFine, program(kRunning, 15)});
    const ActionResult result = play(link);
    BOOST_TEST(result.ok);
    BOOST_TEST(result.message.starts_with("stopped pid 12, started pid 15, running after"));
    BOOST_TEST(link.asked == "info settings stop info info info start info");
}

BOOST_AUTO_TEST_CASE(an_order_to_stop_that_never_arrived_is_given_again) {
    Scripted link({program(kRunning, 12), with_startsecs(1), code(kCallUnreachable), program(kRunning, 12),
                   kFine, program(kStopped, 0), kFine, program(kRunning, 15)});
    BOOST_TEST(play(link).ok);
    BOOST_TEST(link.asked == "info settings stop info stop info start info");
}

BOOST_AUTO_TEST_CASE(a_start_is_retried_until_supervisord_answers) {
    Scripted link({program(kRunning, 12), with_startsecs(1), kFine, program(kStopped, 0),
                   code(kCallUnreachable), kSilent, code(kCallBadAnswer), code(kFaultAlreadyStarted),
                   program(kRunning, 15)});
    BOOST_TEST(play(link).ok);
    BOOST_TEST(link.asked == "info settings stop info start start start start info");
}

BOOST_AUTO_TEST_CASE(a_start_is_not_retried_for_ever) {
    std::deque<CallResult> answers{program(kRunning, 12), with_startsecs(1), kFine, program(kStopped, 0)};
    answers.insert(answers.end(), 200, code(kCallUnreachable, "supervisord cannot be reached"));
    Scripted link(answers);
    const ActionResult result = play(link);
    BOOST_TEST(!result.ok);
    BOOST_TEST(result.message ==
               "stopped pid 12, but it could not be started: supervisord cannot be reached");
}

BOOST_AUTO_TEST_CASE(an_operator_who_stops_it_first_is_obeyed) {
    Scripted link({program(kRunning, 12), with_startsecs(1), code(kFaultNotRunning), program(kStopped, 0)});
    const ActionResult result = play(link);
    BOOST_TEST(!result.ok);
    BOOST_TEST(has(result.message, "stopped by an operator meanwhile; not started"));
    BOOST_TEST(link.asked == "info settings stop info");
}

BOOST_AUTO_TEST_CASE(a_program_that_died_by_itself_first_is_started) {
    Scripted link({program(kRunning, 12), with_startsecs(1), code(kFaultNotRunning), program(kExited, 0),
                   kFine, program(kRunning, 15)});
    const ActionResult result = play(link);
    BOOST_TEST(result.ok);
    BOOST_TEST(result.message.starts_with("ended: pid 12, started pid 15"));
}

BOOST_AUTO_TEST_CASE(somebody_else_was_faster) {
    Scripted link({program(kRunning, 12), with_startsecs(1), code(kFaultNotRunning), program(kRunning, 14)});
    const ActionResult result = play(link);
    BOOST_TEST(result.ok);
    BOOST_TEST(has(result.message, "restarted by somebody else meanwhile (pid 12 -> 14)"));
}

BOOST_AUTO_TEST_CASE(a_shutdown_is_not_disturbed) {
    Scripted before({code(kFaultShutdown)});
    BOOST_TEST(play(before).message == "supervisord is shutting down; nothing done");
    Scripted at_stop({program(kRunning, 12), with_startsecs(1), code(kFaultShutdown)});
    BOOST_TEST(play(at_stop).message == "supervisord is shutting down; nothing done");
    Scripted at_start(
        {program(kRunning, 12), with_startsecs(1), kFine, program(kStopped, 0), code(kFaultShutdown)});
    const ActionResult result = play(at_start);
    BOOST_TEST(!result.ok);
    BOOST_TEST(result.message == "stopped pid 12, supervisord is shutting down; not started");
}

BOOST_AUTO_TEST_CASE(one_that_cannot_be_killed_is_reported) {
    std::deque<CallResult> answers{program(kRunning, 12), with_startsecs(1), kFine};
    answers.insert(answers.end(), 200, program(kStopping, 12));
    Scripted link(answers);
    const ActionResult result = play(link);
    BOOST_TEST(!result.ok);
    BOOST_TEST(has(result.message, "web (pid 12) did not stop in"));
    BOOST_TEST(!has(link.asked, "start"));
}

BOOST_AUTO_TEST_CASE(a_slow_start_is_not_a_failure) {
    std::deque<CallResult> answers{program(kFatal, 0), with_startsecs(0), kFine};
    answers.insert(answers.end(), 200, program(kStarting, 15));
    Scripted link(answers);
    const ActionResult result = play(link);
    BOOST_TEST(result.ok);
    BOOST_TEST(has(result.message, "started pid 15, still STARTING after"));
}

BOOST_AUTO_TEST_CASE(settings_that_are_not_told_are_guessed) {
    Scripted link({program(kRunning, 12), code(1, "UNKNOWN_METHOD"), kFine, program(kStopped, 0), kFine,
                   program(kRunning, 15)});
    BOOST_TEST(play(link).ok);
}

BOOST_AUTO_TEST_CASE(the_same_pid_with_another_start_is_another_process) {
    ActionRequest request = request_for("web", 12);
    request.program_start = 900;
    Scripted link({program(kRunning, 12, 1000)});
    BOOST_TEST(has(play(link, request).message, "already restarted"));
    request.program_start = 1000;
    Scripted same({program(kRunning, 12, 1000), with_startsecs(1), kFine, program(kStopped, 0), kFine,
                   program(kRunning, 15)});
    BOOST_TEST(has(play(same, request).message, "stopped pid 12"));
}

BOOST_AUTO_TEST_CASE(a_lost_link_ends_the_restart_at_once) {
    Scripted first({});
    BOOST_TEST(has(play(first).message, "nothing done"));
    Scripted late({program(kRunning, 12), with_startsecs(1), kFine, program(kStopped, 0)});
    const ActionResult result = play(late);
    BOOST_TEST(!result.ok);
    BOOST_TEST(has(result.message, "stopped pid 12, but it could not be started"));
}

BOOST_AUTO_TEST_SUITE_END()
