// A restart that is cut off at any moment never leaves the program stopped.
#include "master/action/restart_record.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/process/frozen_disk.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <filesystem>
#include <linux/fs.h>
#include <random>
#include <sys/ioctl.h>
#include <thread>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_interrupted_restart)

namespace {

// Refuses connections, so that a restart begins at once.
std::string cats(int port) {
    return "cat4: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.1, initialDelaySeconds: 0, "
           "failureThreshold: 1, action: restart, port: " +
           std::to_string(port) + "}\n";
}

// Waits until the program is ready not to end by SIGTERM.
bool ignores_term(const Supervisord& supervisord) {
    return wait_until([&] { return ignores(supervisord.pid("web"), SIGTERM); });
}

// A new healthcheckd in the old one's state folder, which must finish what that one began.
void expect_running_again(const Supervisord& supervisord, const Daemon& cut_off) {
    if (wait_until([&] { return supervisord.state("web") == "RUNNING"; }, 300ms))
        return;
    BOOST_TEST(cut_off.log().find("was not finished") != std::string::npos,
               "nothing says what was left undone");
    const Daemon next(supervisord.url(), "idle: {program: web, type: mem, periodSeconds: 5, action: email}\n",
                      {.state_dir = cut_off.state_dir()});
    BOOST_TEST(supervisord.wait_state("web", "RUNNING", 15s));
}

// Ends healthcheckd by `signal` at `times` random moments of a restart.
void cut_off_restarts(int signal, int times, unsigned seed) {
    // Takes a moment to end, so that there is a time between stop and start.
    const Supervisord supervisord(
        {{.name = "web",
          .command = "/bin/sh -c 'trap \"sleep 0.2; exit 0\" TERM; while :; do sleep 0.05; done'",
          .extra = "startsecs=0\nstopwaitsecs=5"}});
    std::mt19937 random(seed);
    const int port = free_port();
    for (int i = 0; i < times; ++i) {
        Daemon daemon(supervisord.url(), cats(port));
        BOOST_TEST_REQUIRE(daemon.wait_for_log("restart begins"));
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 400));
        BOOST_TEST(daemon.wait_end(signal).took.count() < 3000 * slower());
        BOOST_TEST_CONTEXT("cut off for the " << i + 1 << ". time") {
            expect_running_again(supervisord, daemon);
        }
    }
}

// Whether no name in the folder can be made or removed (ioctl_iflags(2)).
void keep_names(const std::string& folder, bool on) {
    const healthcheckd::UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int flags = 0;
    BOOST_REQUIRE(::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) == 0);
    flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    BOOST_REQUIRE(::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) == 0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(sigterm_at_25_random_moments_never_leaves_the_program_stopped) {
    cut_off_restarts(SIGTERM, 25, 1);
}

BOOST_AUTO_TEST_CASE(sigterm_at_25_more_random_moments_never_leaves_the_program_stopped) {
    cut_off_restarts(SIGTERM, 25, 2);
}

BOOST_AUTO_TEST_CASE(a_stop_that_outlasts_healthcheckd_is_finished_by_its_next_start) {
    const Supervisord supervisord(
        {{.name = "web", .command = program("ignore_term.sh"), .extra = "startsecs=0\nstopwaitsecs=4"}});
    BOOST_TEST_REQUIRE(ignores_term(supervisord));
    {
        Daemon daemon(supervisord.url(), cats(free_port()));
        BOOST_TEST_REQUIRE(daemon.wait_for_log("restart begins"));
        BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"));
        BOOST_TEST(daemon.stop().status == 0);
        BOOST_TEST(daemon.log().find("restart was not finished") != std::string::npos);
        BOOST_TEST(daemon.log().find("its next start sees to it") != std::string::npos);
        BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPED"));
        expect_running_again(supervisord, daemon);
    }
}

BOOST_AUTO_TEST_CASE(a_restart_for_a_process_that_supervisord_does_not_know_is_finished_as_well) {
    const Supervisord supervisord(
        {{.name = "web", .command = program("ignore_term.sh"), .extra = "startsecs=0\nstopwaitsecs=3"}});
    BOOST_TEST_REQUIRE(ignores_term(supervisord));
    const TempDir dir;
    const Subprocess other({"/bin/sleep", "1000"});
    const std::string cat =
        "cat1: {program: web, type: mem, maxMem: 0.1, pidGet: file, pidFile: " +
        dir.write("other.pid", std::to_string(other.pid()) + "\n") +
        ", periodSeconds: 0.1, initialDelaySeconds: 0, failureThreshold: 1, action: restart}\n";
    Daemon daemon(supervisord.url(), cat);
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"));
    daemon.wait_end(SIGKILL);
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPED"));
    // Its first restart comes before the look at what was left undone, unless the machine is slow, and must not take the
    // record away.
    const Daemon next(supervisord.url(), cat, {.state_dir = daemon.state_dir()});
    BOOST_TEST(next.wait_for_log("a restart for cat1 had stopped it and was not finished"));
    BOOST_TEST(
        (slower() > 1 || next.count_log("restart failed: web was stopped by an operator; not started") > 0));
}

BOOST_AUTO_TEST_CASE(a_program_that_a_new_supervisord_does_not_start_by_itself_is_started) {
    Supervisord supervisord({{.name = "web",
                              .command = program("ignore_term.sh"),
                              .extra = "autostart=false\nstartsecs=0\nstopwaitsecs=3"}});
    supervisord.ctl({"start", "web"});
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
    BOOST_TEST_REQUIRE(ignores_term(supervisord));
    Daemon daemon(supervisord.url(), cats(free_port()));
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"));
    daemon.wait_end(SIGKILL);
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPED"));
    supervisord.restart();
    BOOST_TEST(supervisord.state("web") == "STOPPED");
    const Daemon next(supervisord.url(), "idle: {program: web, type: mem, periodSeconds: 5, action: email}\n",
                      {.state_dir = daemon.state_dir()});
    BOOST_TEST(next.wait_for_log("web started: a restart for cat4 had stopped it and was not finished"));
    BOOST_TEST(supervisord.wait_state("web", "RUNNING"));
}

BOOST_AUTO_TEST_CASE(a_program_that_somebody_started_and_stopped_since_stays_stopped) {
    const Supervisord supervisord(
        {{.name = "web", .command = program("ignore_term.sh"), .extra = "startsecs=0\nstopwaitsecs=3"}});
    BOOST_TEST_REQUIRE(ignores_term(supervisord));
    Daemon daemon(supervisord.url(), cats(free_port()));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("restart begins"));
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"));
    daemon.wait_end(SIGKILL);
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPED"));
    std::this_thread::sleep_for(1100ms);  // supervisord's start times are whole seconds
    supervisord.ctl({"start", "web"});
    supervisord.ctl({"stop", "web"});
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPED"));
    const Daemon next(supervisord.url(), "idle: {program: web, type: mem, periodSeconds: 5, action: email}\n",
                      {.state_dir = daemon.state_dir()});
    BOOST_TEST(next.wait_for_log("was started and stopped by somebody else since; it stays stopped"));
    BOOST_TEST(supervisord.state("web") == "STOPPED");
}

// The kernel waits with what is to be removed from such a disk, and no signal ends that.
BOOST_AUTO_TEST_CASE(a_program_whose_record_cannot_be_removed_is_restarted_again) {
    const FrozenDisk disk;
    const std::string state_dir = disk.dir() + "/state";
    WatchedPort port(true);
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000", .extra = "autostart=false"}});
    BOOST_REQUIRE(static_cast<bool>(
        healthcheckd::master::write_record(state_dir, healthcheckd::master::ordered_now("web", 1, "cat4"))));
    supervisord.signal(SIGSTOP);
    Daemon daemon(supervisord.url(), cats(port.number()), {.state_dir = state_dir});
    BOOST_TEST_REQUIRE(wait_until([&] { return daemon.child("unfinished restarts") > 0; }), daemon.log());
    disk.freeze();
    supervisord.signal(SIGCONT);
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "RUNNING"), daemon.log());
    BOOST_TEST(daemon.wait_for_log("the record of a restart could not be removed: the disk of stateDir"),
               daemon.log());
    const pid_t before = supervisord.pid("web");
    port.close();
    BOOST_TEST(daemon.wait_for_log("restart done: stopped pid " + std::to_string(before), 20s), daemon.log());
    disk.thaw();
    // Looked at again by and by.
    BOOST_TEST(wait_until([&] { return std::filesystem::is_empty(state_dir + "/restarts"); }, 40s),
               daemon.log());
}

// Once somebody stops the program, it would be started by a later look.
BOOST_AUTO_TEST_CASE(a_record_that_the_action_could_not_remove_is_looked_at_until_it_is_gone) {
    const FrozenDisk disk;  // a file system with flags
    const std::string state_dir = disk.dir() + "/state", records = state_dir + "/restarts";
    const Supervisord supervisord(
        {{.name = "web", .command = program("ignore_term.sh"), .extra = "startsecs=0\nstopwaitsecs=3"}});
    BOOST_TEST_REQUIRE(ignores_term(supervisord));
    const std::string once =
        "cat4: {program: web, type: mem, maxMem: 0.1, periodSeconds: 600, initialDelaySeconds: 0, "
        "failureThreshold: 1, action: restart}\n";
    Daemon daemon(supervisord.url(), once, {.state_dir = state_dir});
    const auto one_is_there = [&] {
        std::error_code none;
        return std::filesystem::directory_iterator(records, none) != std::filesystem::directory_iterator();
    };
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"), daemon.log());
    BOOST_TEST_REQUIRE(one_is_there());
    keep_names(records, true);
    BOOST_TEST(daemon.wait_for_log("restart done"), daemon.log());
    BOOST_TEST(daemon.wait_for_log("[restarts] unlink "), daemon.log());
    BOOST_TEST(one_is_there());
    keep_names(records, false);
    BOOST_TEST(wait_until([&] { return !one_is_there(); }), daemon.log());
}

BOOST_AUTO_TEST_CASE(what_an_exec_kept_back_is_finished_when_it_ends) {
    const Supervisord supervisord(
        {{.name = "web",
          .command = "/bin/sh -c 'trap \"\" TERM; touch ready; until [ -e end ]; do sleep 0.05; done'",
          .extra = "stopwaitsecs=100"}});
    BOOST_REQUIRE(wait_until([&] { return std::filesystem::exists(supervisord.dir().file("ready")); }));
    const TempDir dir;
    const Subprocess other({"/bin/sleep", "1000"});
    BOOST_REQUIRE(static_cast<bool>(healthcheckd::master::write_record(
        dir.file("state"), healthcheckd::master::ordered_now("web", 1, "cat4"))));
    const std::jthread stop([&] { supervisord.ctl({"stop", "web"}); });
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"));
    const Daemon daemon(
        supervisord.url(),
        "cat1: {program: web, type: mem, maxMem: 0.1, pidGet: file, pidFile: " + dir.file("other.pid") +
            ", periodSeconds: 0.2, initialDelaySeconds: 0, failureThreshold: 1, action: exec, "
            "execCmd: 'sleep 9'}\n",
        {.state_dir = dir.file("state")});
    // The first look is before the exec, the next ones come 1, 3, 7 and 15 s after it.
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[restarts] web is still being stopped"), daemon.log());
    const std::string pid_file = dir.write("other.pid", std::to_string(other.pid()) + "\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("exec begins"), daemon.log());
    std::filesystem::remove(pid_file);  // there is no second exec
    (void)supervisord.dir().write("end", "");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("exec done", 20s), daemon.log());
    const std::string finished = "web was started and stopped by somebody else since";
    BOOST_TEST(daemon.wait_for_log(finished, 3s), daemon.log());
    BOOST_TEST(daemon.log().find("exec done") < daemon.log().find(finished), daemon.log());
}

BOOST_AUTO_TEST_SUITE_END()
