// healthcheckd as a program of the supervisord that it watches: it never stops itself, whatever it finds.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_own_patient)

namespace {

// A supervisord with a group `all`: healthcheckd, started by `command` (with @ for its command line), and
// member.
class Site {
public:
    explicit Site(const std::string& command) {
        std::string line = command;
        line.replace(line.find('@'), 1, healthcheckd_binary() + " -c " + dir_.file("c.yaml"));
        supervisord_.emplace(
            std::initializer_list<SupervisedProgram>{},
            SupervisordOptions{.raw = "[program:own]\ncommand=" + line +
                                      "\nautostart=false\nstartsecs=0\nredirect_stderr=true\n"
                                      "stopasgroup=true\nstdout_logfile=" +
                                      dir_.file("log") +
                                      "\n[program:member]\ncommand=/bin/sleep 1000\nstartsecs=0\n"
                                      "[group:all]\nprograms=own,member\n"});
    }
    void start(const std::string& cats) const {
        dir_.write("c.yaml", "config: {supervisordUrl: 'unix://" + supervisord_->socket_path() +
                                 "', logDir: " + dir_.file("logs") + ", stateDir: " + dir_.file("state") +
                                 ", socket: " + dir_.file("s") + "}\n" + cats);
        BOOST_REQUIRE(supervisord_->ctl({"start", "all:own"}).status == 0);
    }
    std::string log() const { return read_file(dir_.file("log")); }
    bool logs(const std::string& text) const {
        return wait_until([&] { return log().find(text) != std::string::npos; }, 20s);
    }
    const Supervisord& supervisord() const { return *supervisord_; }

private:
    TempDir dir_;
    std::optional<Supervisord> supervisord_;
};

std::string cat(const std::string& name, const std::string& program, const std::string& rest) {
    return name + ": {program: '" + program + "', type: mem, maxMem: 0.1, periodSeconds: 0.3, " +
           "initialDelaySeconds: 0, failureThreshold: 2, " + rest + "}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(restart_and_kill_of_itself_are_refused_and_exec_and_the_rest_of_its_group_work) {
    for (const char* command : {"@", "/bin/sh -c '@; :'"})
        BOOST_TEST_CONTEXT(command) {
            const Site site(command);
            site.start(cat("stop", "all:own", "action: restart") + cat("kill", "all:own", "action: kill") +
                       cat("run", "all:own", "action: exec, execCmd: 'echo it ran'") +
                       cat("both", "all:*", "action: restart"));
            BOOST_TEST(site.logs("[stop all:own] restart refused: healthcheckd itself runs by all:own"),
                       site.log());
            const pid_t own = site.supervisord().pid("all:own");
            BOOST_TEST(site.logs("[kill all:own] kill refused: healthcheckd itself runs by all:own (pid " +
                                 std::to_string(own) + ")"),
                       site.log());
            BOOST_TEST(site.logs("[both/own all:own] restart refused: "), site.log());
            BOOST_TEST(site.logs("[run all:own] output: it ran"), site.log());
            BOOST_TEST(site.logs("[both/member all:member] restart done: stopped pid "), site.log());
            BOOST_TEST(site.supervisord().pid("all:own") == own);
            BOOST_TEST(site.supervisord().state("all:own") == "RUNNING");
        }
}

BOOST_AUTO_TEST_CASE(a_cat_that_by_its_name_alone_is_about_itself_is_warned_about) {
    const TempDir dir;
    const std::string file =
        dir.write("c.yaml", "a: {program: healthcheckd, type: restart, action: restart}\n"
                            "b: {program: 'healthcheckd:*', type: restart, action: kill}\n"
                            "c: {program: healthcheckd, type: restart, action: exec, execCmd: 'true'}\n"
                            "d: {program: 'mine:web_1', type: restart, action: restart}\n"
                            "e: {program: 'other:web_1', type: restart, action: restart}\n");
    const CommandResult checked =
        run_command({healthcheckd_binary(), "-t", "-c", file}, 30s,
                    {.env = {{"SUPERVISOR_GROUP_NAME", "mine"}, {"SUPERVISOR_PROCESS_NAME", "web_1"}},
                     .output = {},
                     .uid = 0});
    const auto warned = [&](const std::string& cat) {
        return checked.output.find("warning: " + cat + ".action: ") != std::string::npos &&
               checked.output.find("will be refused for healthcheckd itself") != std::string::npos;
    };
    for (const char* cat : {"a", "b", "d"})
        BOOST_TEST(warned(cat), cat << '\n' << checked.output);
    for (const char* cat : {"c", "e"})
        BOOST_TEST(!warned(cat), cat << '\n' << checked.output);
    BOOST_TEST(checked.status == 0, checked.output);
}

BOOST_AUTO_TEST_SUITE_END()
