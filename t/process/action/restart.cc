// The restart action against a real supervisord.
#include "master/action/type/actions.h"
#include "t/fixture/basics.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/link_child.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_restart)

namespace {

// Ignores TERM from the moment on at which the file "deaf" is there.
const std::string kDeaf = "/bin/sh -c \"trap '' TERM; touch deaf; while :; do sleep 0.1; done\"";

struct Stages {
    std::vector<std::string> texts;
    std::vector<std::chrono::milliseconds> limits;
    StageReport report() {
        return [this](std::chrono::milliseconds limit, std::string_view what) {
            texts.emplace_back(what);
            limits.push_back(limit);
        };
    }
};

ActionRequest request_for(const std::string& program, pid_t pid = 0) {
    ActionRequest request;
    request.program = program;
    request.evidence.process.pid = pid;
    return request;
}

// A supervisord, its link and one restart.
struct World {
    explicit World(std::initializer_list<SupervisedProgram> programs, SupervisordOptions options = {})
        : supervisord(programs, std::move(options)), link(link_config(supervisord.url())) {
        BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    }
    ActionResult restart(const std::string& program, pid_t pid = 0) {
        const auto client = link.new_client();
        const auto begin = std::chrono::steady_clock::now();
        const ActionResult result = run_restart(request_for(program, pid), *client, stages.report());
        took = std::chrono::steady_clock::now() - begin;
        BOOST_TEST_MESSAGE(result.message);
        return result;
    }

    Supervisord supervisord;
    LinkChild link;
    Stages stages;
    std::chrono::steady_clock::duration took{};
};

std::string pid_text(pid_t pid) {
    return "pid " + std::to_string(pid);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_running_program_is_stopped_and_started) {
    World world({{.name = "web", .command = "/bin/sleep 1000", .extra = "startsecs=1"}});
    BOOST_REQUIRE(world.supervisord.wait_state("web", "RUNNING"));
    const pid_t before = world.supervisord.pid("web");
    const ActionResult result = world.restart("web", before);
    const pid_t after = world.supervisord.pid("web");
    BOOST_TEST(result.ok);
    BOOST_TEST(after > 1);
    BOOST_TEST(after != before);
    BOOST_TEST(result.message.starts_with("stopped " + pid_text(before) + ", started " + pid_text(after) +
                                          ", running after "));
    BOOST_REQUIRE(world.stages.texts.size() == 3U);
    BOOST_TEST(has(world.stages.texts[1], "STOPPING web"));
    BOOST_TEST(has(world.stages.texts[2], "STARTING web"));
}

BOOST_AUTO_TEST_CASE(a_program_that_ignores_term_is_waited_for) {
    World world({{.name = "deaf", .command = kDeaf}});
    BOOST_REQUIRE(world.supervisord.wait_state("deaf", "RUNNING"));
    BOOST_REQUIRE(wait_until([&] { return std::filesystem::exists(world.supervisord.dir().file("deaf")); }));
    const ActionResult result = world.restart("deaf", world.supervisord.pid("deaf"));
    BOOST_TEST(result.ok);
    BOOST_CHECK(world.took > 1500ms && world.took < 10s * slower());  // stopwaitsecs=2
    BOOST_CHECK(world.stages.limits.at(1) > world.took);
    BOOST_TEST(world.supervisord.state("deaf") == "RUNNING");
}

BOOST_AUTO_TEST_CASE(a_program_that_an_operator_stopped_is_never_started) {
    World world({{.name = "web", .command = "/bin/sleep 1000"},
                 {.name = "off", .command = "/bin/sleep 1000", .extra = "autostart=false"}});
    BOOST_REQUIRE(world.supervisord.wait_state("web", "RUNNING"));
    const pid_t pid = world.supervisord.pid("web");
    BOOST_REQUIRE(world.supervisord.ctl({"stop", "web"}).status == 0);
    const ActionResult stopped = world.restart("web", pid);
    BOOST_TEST(!stopped.ok);
    BOOST_TEST(has(stopped.message, "stopped by an operator; not started"));
    const ActionResult off = world.restart("off");
    BOOST_TEST(!off.ok);
    BOOST_TEST(has(off.message, "never started"));
    BOOST_TEST(world.supervisord.state("web") == "STOPPED");
    BOOST_TEST(world.supervisord.state("off") == "STOPPED");
}

BOOST_AUTO_TEST_CASE(evidence_about_an_earlier_process_restarts_nothing) {
    World world({{.name = "web", .command = "/bin/sleep 1000"}});
    BOOST_REQUIRE(world.supervisord.wait_state("web", "RUNNING"));
    const pid_t old = world.supervisord.pid("web");
    BOOST_REQUIRE(world.supervisord.ctl({"restart", "web"}).status == 0);
    const pid_t now = world.supervisord.pid("web");
    const ActionResult result = world.restart("web", old);
    BOOST_TEST(result.ok);
    BOOST_TEST(has(result.message, "already restarted"));
    BOOST_TEST(world.supervisord.pid("web") == now);
}

BOOST_AUTO_TEST_CASE(an_ended_or_given_up_program_is_started_without_a_stop) {
    World world({{.name = "once",
                  .command = "/bin/sh -c 'test -e again && exec sleep 1000; exit 3'",
                  .extra = "autorestart=false"},
                 {.name = "gone",
                  .command = "/bin/sh -c 'test -e again && exec sleep 1000; exit 3'",
                  .extra = "startsecs=1\nstartretries=0"}});
    BOOST_REQUIRE(world.supervisord.wait_state("once", "EXITED"));
    BOOST_REQUIRE(world.supervisord.wait_state("gone", "FATAL"));
    world.supervisord.dir().write("again", "");
    const ActionResult once = world.restart("once");
    BOOST_TEST(once.ok);
    BOOST_TEST(once.message.starts_with("was EXITED"));
    const ActionResult gone = world.restart("gone");
    BOOST_TEST(gone.ok);
    BOOST_TEST(gone.message.starts_with("was FATAL"));
    BOOST_TEST(world.supervisord.state("once") == "RUNNING");
    BOOST_TEST(world.supervisord.state("gone") == "RUNNING");
}

BOOST_AUTO_TEST_CASE(a_program_that_does_not_come_up_again_is_a_failure_with_the_reason) {
    World world({{.name = "web",
                  .command = "/bin/sh -c 'test -e broken && exit 3; exec sleep 1000'",
                  .extra = "startsecs=1\nstartretries=0"}});
    BOOST_REQUIRE(world.supervisord.wait_state("web", "RUNNING"));
    const pid_t pid = world.supervisord.pid("web");
    world.supervisord.dir().write("broken", "");
    const ActionResult result = world.restart("web", pid);
    BOOST_TEST(!result.ok);
    BOOST_TEST(result.message.starts_with("stopped " + pid_text(pid) + ", but it does not start: "));
    BOOST_TEST(has(result.message, "Exited too quickly"));
}

BOOST_AUTO_TEST_CASE(a_command_that_disappeared_is_named) {
    World world({{.name = "none", .command = "/nonexistent", .extra = "startretries=0", .tied = false}});
    BOOST_REQUIRE(world.supervisord.wait_state("none", "FATAL"));
    const ActionResult result = world.restart("none");
    BOOST_TEST(!result.ok);
    BOOST_TEST(has(result.message, "does not exist"));
    BOOST_TEST(has(result.message, "/nonexistent"));
}

BOOST_AUTO_TEST_CASE(a_crash_loop_is_left_to_supervisord) {
    World world({{.name = "loop", .command = "/bin/false", .extra = "startsecs=1\nstartretries=100"}});
    // The pauses of supervisord grow by a second each time, so BACKOFF lasts.
    BOOST_REQUIRE(world.supervisord.wait_state("loop", "BACKOFF"));
    const ActionResult result = world.restart("loop");
    BOOST_TEST(result.ok);
    BOOST_TEST(has(result.message, "already restarting loop, BACKOFF (Exited too quickly"));
}

BOOST_AUTO_TEST_CASE(a_member_of_a_group_is_restarted_alone) {
    World world({}, {.raw = "[program:pool]\ncommand=/usr/bin/setpriv --pdeathsig KILL -- /bin/sleep 1000\n"
                            "numprocs=2\nprocess_name=%(program_name)s_%(process_num)02d\nstartsecs=0\n"});
    BOOST_REQUIRE(world.supervisord.wait_state("pool:pool_01", "RUNNING"));
    const pid_t first = world.supervisord.pid("pool:pool_00");
    const pid_t second = world.supervisord.pid("pool:pool_01");
    BOOST_TEST(world.restart("pool:pool_01", second).ok);
    BOOST_TEST(world.supervisord.pid("pool:pool_00") == first);
    BOOST_TEST(world.supervisord.pid("pool:pool_01") != second);
}

BOOST_AUTO_TEST_CASE(an_unknown_program_and_an_absent_supervisord_are_told) {
    World world({{.name = "web", .command = "/bin/sleep 1000"}});
    const ActionResult unknown = world.restart("wbe");
    BOOST_TEST(!unknown.ok);
    BOOST_TEST(unknown.message == "supervisord has no program 'wbe'; nothing done");
    world.supervisord.down();
    const ActionResult away = world.restart("web");
    BOOST_TEST(!away.ok);
    BOOST_TEST(has(away.message, "cannot be reached"));
    BOOST_TEST(has(away.message, "nothing done"));
}

BOOST_AUTO_TEST_CASE(a_frozen_supervisord_is_not_told_to_stop_anything) {
    World world({{.name = "web", .command = "/bin/sleep 1000"}});
    BOOST_REQUIRE(world.supervisord.wait_state("web", "RUNNING"));
    const pid_t pid = world.supervisord.pid("web");
    world.supervisord.signal(SIGSTOP);
    const ActionResult result = world.restart("web", pid);
    world.supervisord.signal(SIGCONT);
    BOOST_TEST(!result.ok);
    BOOST_TEST(has(result.message, "nothing done"));
    BOOST_TEST(world.supervisord.wait_state("web", "RUNNING"));
    BOOST_TEST(world.supervisord.pid("web") == pid);
}

BOOST_AUTO_TEST_CASE(a_program_that_was_stopped_is_started_although_supervisord_froze_in_between) {
    World world({{.name = "deaf", .command = kDeaf, .extra = "stopwaitsecs=1"}});
    BOOST_REQUIRE(wait_until([&] { return std::filesystem::exists(world.supervisord.dir().file("deaf")); }));
    const pid_t pid = world.supervisord.pid("deaf");
    std::jthread freezer([&] {
        // While it stops, longer than the link waits for one call.
        wait_until([&] { return world.supervisord.state("deaf") == "STOPPING"; }, 10s);
        world.supervisord.signal(SIGSTOP);
        std::this_thread::sleep_for(6s);
        world.supervisord.signal(SIGCONT);
    });
    const ActionResult result = world.restart("deaf", pid);
    freezer.join();
    BOOST_TEST(result.ok);
    BOOST_TEST(world.supervisord.state("deaf") == "RUNNING");
    BOOST_TEST(world.supervisord.pid("deaf") != pid);
}

BOOST_AUTO_TEST_SUITE_END()
