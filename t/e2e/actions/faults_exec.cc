// Programs that execute another one: the process stays, with its number and start, and all its memory is new.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_faults_exec)

BOOST_AUTO_TEST_CASE(a_program_that_executes_another_one_goes_on_being_measured_in_each_way) {
    const TempDir dir;
    const std::string start = dir.file("start");
    const std::string name = "hcdexec" + std::to_string(::getpid());
    const std::string script = dir.write(
        name,
        "#!/bin/sh\nuntil [ -e " + start +
            " ]; do sleep 0.1; done\nexec /usr/bin/python3 -c 'import time; time.sleep(1000)' " + name + "\n",
        0755);
    const Supervisord supervisord({{.name = "wrapped", .command = script}});
    const std::string cat = ", type: mem, maxMem: 1000, periodSeconds: 0.2, initialDelaySeconds: 0, action: "
                            "kill, memType: ";
    const std::string pid_file = dir.write("t.pid", std::to_string(supervisord.pid("wrapped")));
    const Daemon daemon(
        supervisord.url(),
        "rss: {program: wrapped" + cat + "rss}\npss: {program: wrapped" + cat +
            "pss}\nuss: {program: wrapped" + cat + "uss}\nnamed: {program: " + name + ", pidGet: name" + cat +
            "pss}\nfiled: {program: wrapped, pidGet: file, pidFile: " + pid_file + cat + "pss}\n");
    const std::vector<std::string> cats{"rss", "pss", "uss", "named", "filed"};
    for (const std::string& one : cats)
        BOOST_TEST_REQUIRE(
            daemon.wait_for_state(one, [](const auto& state) { return state["state"] == "healthy"; }), one);
    const pid_t pid = supervisord.pid("wrapped");
    dir.write("start", "");
    // Python needs more than the shell did of its own: 0.2 MB.
    for (const std::string& one : cats)
        BOOST_TEST(daemon.wait_for_state(one,
                                         [&](const auto& state) {
                                             return state["state"] == "healthy" && state["pid"] == pid &&
                                                    state["lastProbe"]["value"] > 1.5;
                                         }),
                   one);
    BOOST_TEST(supervisord.pid("wrapped") == pid);
}

BOOST_AUTO_TEST_SUITE_END()
