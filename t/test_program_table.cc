// The program table on real processes: what counts as a restart, and what does not.
#include "master/program_table.h"
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

namespace {

// A table with a loop, and what it told.
struct Watched {
    explicit Watched(bool local = true)
        : table(loop, local,
                {[this](const Program& program) { told.push_back("started " + program.name); },
                 [this](const Program& program) {
                     told.push_back("ended " + program.name);
                     loop.stop();
                 },
                 [this](const Program& program) {
                     told.push_back(program.state_text());
                 }}) {}

    void update(int state, pid_t pid, std::int64_t start) {
        ProgramLine line;
        line.name = "web";
        line.state = state;
        line.pid = pid;
        line.start = start;
        line.now = start + 10;
        table.update({line});
    }
    std::uint64_t starts() const { return table.find("web")->starts; }

    Loop loop;
    std::vector<std::string> told;
    ProgramTable table;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_program_table)

BOOST_AUTO_TEST_CASE(what_is_seen_first_is_no_restart_and_each_new_process_is_one) {
    const Subprocess first({"/bin/sleep", "100"});
    const Subprocess second({"/bin/sleep", "100"});
    Watched watched;
    watched.update(kRunning, first.pid(), 100);
    BOOST_TEST(watched.starts() == 0U);
    BOOST_TEST(watched.table.find("web")->process.pid == first.pid());
    watched.update(kRunning, first.pid(), 100);
    BOOST_TEST(watched.starts() == 0U);
    watched.update(kRunning, second.pid(), 120);
    BOOST_TEST(watched.starts() == 1U);
    BOOST_TEST(watched.told == (std::vector<std::string>{"started web", "started web"}));
}

BOOST_AUTO_TEST_CASE(a_start_too_short_to_be_seen_with_its_process_counts) {
    Watched watched;
    watched.update(kBackoff, 0, 100);
    watched.update(kBackoff, 0, 101);
    watched.update(kBackoff, 0, 103);
    BOOST_TEST(watched.starts() == 2U);
}

BOOST_AUTO_TEST_CASE(the_first_start_of_a_program_that_never_ran_is_no_restart) {
    const Subprocess process({"/bin/sleep", "100"});
    Watched watched;
    watched.update(kStopped, 0, 0);
    watched.update(kRunning, process.pid(), 100);
    BOOST_TEST(watched.starts() == 0U);
}

BOOST_AUTO_TEST_CASE(a_step_of_supervisords_clock_is_no_restart_and_loses_no_process) {
    const Subprocess process({"/bin/sleep", "100"});
    Watched watched;
    watched.update(kStarting, process.pid(), 5000);
    watched.update(kRunning, process.pid(), 1400);
    BOOST_TEST(watched.starts() == 0U);
    BOOST_TEST(watched.table.find("web")->process.pid == process.pid());
    BOOST_TEST(watched.told == (std::vector<std::string>{"started web", "RUNNING"}));
}

BOOST_AUTO_TEST_CASE(an_end_is_told_by_the_pidfd_without_asking_anybody) {
    const Subprocess process({"/bin/sleep", "100"});
    Watched watched;
    watched.update(kRunning, process.pid(), 100);
    BOOST_TEST(watched.table.announces_end("web"));
    process.signal(SIGKILL);
    watched.loop.run();  // until "ended"; the runner's time limit bounds it
    BOOST_TEST(watched.told.back() == "ended web");
    BOOST_TEST(!watched.table.find("web")->runs());
    // supervisord has not noticed yet: its answer does not bring the process back, nor is it a restart.
    watched.update(kRunning, process.pid(), 100);
    BOOST_TEST(!watched.table.find("web")->runs());
    BOOST_TEST(watched.starts() == 0U);
}

BOOST_AUTO_TEST_CASE(a_removed_program_has_ended_and_is_forgotten) {
    const Subprocess process({"/bin/sleep", "100"});
    Watched watched;
    watched.update(kRunning, process.pid(), 100);
    watched.table.update({});
    BOOST_TEST(watched.told.back() == "ended web");
    BOOST_TEST((watched.table.find("web") == nullptr));
}

BOOST_AUTO_TEST_CASE(pids_of_another_machine_are_told_apart_but_not_looked_at) {
    Watched watched(false);
    watched.update(kRunning, 1, 100);  // some process here, but not the program
    BOOST_TEST(watched.table.find("web")->process.pid == 1);
    BOOST_TEST(!watched.table.announces_end("web"));
    watched.update(kRunning, 7, 130);
    BOOST_TEST(watched.starts() == 1U);
}

BOOST_AUTO_TEST_CASE(why_a_program_does_not_run_is_told_apart) {
    Watched watched;
    for (const auto& [state, text] : {std::pair{kStopped, "STOPPED"},
                                      {kExited, "EXITED with status 3"},
                                      {kFatal, "FATAL: gave up"},
                                      {kBackoff, "BACKOFF: gave up"}}) {
        ProgramLine line;
        line.name = "web";
        line.state = state;
        line.exit_status = 3;
        line.spawn_error = "gave up";
        watched.table.update({line});
        BOOST_TEST(watched.table.find("web")->state_text() == text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
