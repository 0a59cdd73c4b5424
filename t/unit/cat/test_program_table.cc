// The program table on real processes: what counts as a restart, and what does not.
#include "common/proc/proc_stat.h"
#include "master/supervisord/program_table.h"
#include "t/fixture/basics.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_program_table)

namespace {

// What the process reader answers, at once.
void look_at(pid_t pid, const Parentage::OnSeen& done) {
    const auto stat = read_proc_stat(pid);
    done(stat ? Result<SeenProcess>(SeenProcess{stat->start_ticks, stat->ppid, {}, true}) : stat.error());
}

// A table with a loop, and what it told.
struct Watched {
    explicit Watched(bool local = true, ProgramTable::Identify identify = look_at)
        : table(loop, local, std::move(identify),
                {[this](const Program& program) { told.push_back("started " + program.name); },
                 [this](const Program& program) {
                     told.push_back("ended " + program.name);
                     loop.stop();
                 },
                 [this](const Program& program) {
                     told.push_back(program.state_text());
                 }}) {}

    // `age`: of the process, as supervisord tells it.
    void update(int state, pid_t pid, std::int64_t start, std::chrono::seconds age = 0s) {
        ProgramLine line;
        line.name = "web";
        line.state = state;
        line.pid = pid;
        line.start = start;
        line.now = start + age.count();
        table.update({.programs = {line}});
    }
    std::uint64_t starts() const { return table.find("web")->starts; }

    Loop loop;
    std::vector<std::string> told;
    ProgramTable table;
};

}  // namespace

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

BOOST_AUTO_TEST_CASE(a_loop_that_was_stopped_while_it_did_not_run_gives_its_descriptors_back) {
    const auto open_descriptors = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    };
    const Subprocess process({"/bin/sleep", "100"});
    { const Loop first; }  // what libuv opens once for all loops
    const auto before = open_descriptors();
    {
        Watched watched;
        watched.update(kRunning, process.pid(), 100);
        watched.loop.stop();
    }
    BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(pids_of_another_machine_are_told_apart_but_not_looked_at) {
    Watched watched(false);
    watched.update(kRunning, 1, 100);  // some process here, but not the program
    BOOST_TEST(watched.table.find("web")->process.pid == 1);
    BOOST_TEST(!watched.table.announces_end("web"));
    watched.update(kRunning, 7, 130);
    BOOST_TEST(watched.starts() == 1U);
}

BOOST_AUTO_TEST_CASE(a_process_whose_age_is_not_that_of_the_program_is_not_taken_for_it) {
    const Subprocess process({"/bin/sleep", "100"});
    Watched watched;
    watched.update(kRunning, process.pid(), 100, 60s);
    const Program& web = *watched.table.find("web");
    BOOST_TEST(web.hidden.find("supervisord started its program 60 s ago") != std::string::npos, web.hidden);
    BOOST_TEST(web.process.start_ticks == 0U);
    BOOST_TEST(!watched.table.announces_end("web"));
    watched.update(kRunning, process.pid(), 100);
    BOOST_TEST(web.hidden == "");
    BOOST_TEST(web.process.start_ticks != 0U);
    BOOST_TEST(watched.starts() == 0U);
}

BOOST_AUTO_TEST_CASE(a_number_that_nobody_has_here_told_twice_is_that_of_a_process_elsewhere) {
    Subprocess process({"/bin/sleep", "100"});
    const pid_t pid = process.pid();
    process.signal(SIGKILL);
    BOOST_REQUIRE(process.wait(10s) != -1);
    Watched watched;
    watched.update(kRunning, pid, 100);
    const Program& web = *watched.table.find("web");
    BOOST_TEST(!web.runs(), "it may just have ended");
    BOOST_TEST(web.hidden == "");
    watched.update(kRunning, pid, 100);
    BOOST_TEST(web.hidden.find("there is no such process here") != std::string::npos, web.hidden);
    BOOST_TEST(web.runs(), "as far as supervisord knows");
    BOOST_TEST(!watched.table.is_here());
    BOOST_TEST(watched.starts() == 0U);
}

BOOST_AUTO_TEST_CASE(a_look_that_hangs_holds_the_other_programs_of_the_answer_up_for_two_seconds_at_most) {
    const Subprocess hanging({"/bin/sleep", "100"});
    const Subprocess other({"/bin/sleep", "100"});
    Watched watched(true, [&](pid_t pid, const Parentage::OnSeen& done) {
        if (pid != hanging.pid())
            look_at(pid, done);
    });
    SupervisorTable table;
    for (const auto& [name, pid] : {std::pair{"hangs", hanging.pid()}, {"web", other.pid()}}) {
        ProgramLine line;
        line.name = name;
        line.state = kRunning;
        line.pid = pid;
        line.start = line.now = 100;
        table.programs.push_back(line);
    }
    watched.table.update(table);
    BOOST_TEST((watched.table.find("web") == nullptr));
    Timer enough(watched.loop, [&] { watched.loop.stop(); });
    enough.start(Milliseconds(2'500));
    watched.loop.run();
    BOOST_TEST_REQUIRE((watched.table.find("web") != nullptr));
    BOOST_TEST(watched.table.find("web")->hidden == "");
    const std::string hidden = watched.table.find("hangs")->hidden;
    BOOST_TEST(hidden.find("it takes long to look at it") != std::string::npos, hidden);
    BOOST_TEST(watched.table.find("hangs")->runs(), "its pidfd is silent");
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_hides_no_process_as_it_moves_the_ages_of_all) {
    const Subprocess first({"/bin/sleep", "100"});
    const Subprocess second({"/bin/sleep", "100"});
    for (const std::chrono::seconds step : {-3600s, 3600s}) {
        Watched watched;
        SupervisorTable table;
        for (const auto& [name, pid] : {std::pair{"web", first.pid()}, {"db", second.pid()}}) {
            ProgramLine line;
            line.name = name;
            line.state = kRunning;
            line.pid = pid;
            line.start = 100'000;
            line.now = line.start + step.count();
            table.programs.push_back(line);
        }
        watched.table.update(table);
        for (const char* name : {"web", "db"})
            BOOST_TEST(watched.table.find(name)->hidden == "", step.count());
    }
}

BOOST_AUTO_TEST_CASE(a_program_that_supervisord_calls_running_without_a_process_is_asked_about_again) {
    const Subprocess process({"/bin/sleep", "100"});
    Watched watched;
    watched.update(kRunning, 0, 100);
    BOOST_TEST(!watched.table.find("web")->runs());
    BOOST_TEST(watched.table.find("web")->in_transition());
    watched.update(kRunning, process.pid(), 100);
    BOOST_TEST(watched.table.find("web")->runs());
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
        watched.table.update({.programs = {line}});
        BOOST_TEST(watched.table.find("web")->state_text() == text);
    }
}

BOOST_AUTO_TEST_CASE(a_process_that_cannot_be_looked_at_has_not_ended_and_is_one_start) {
    const Subprocess first({"/bin/sleep", "100"});
    const Subprocess second({"/bin/sleep", "100"});
    Watched watched;
    watched.update(kRunning, first.pid(), 100);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    for (int i = 0; i < 3; ++i)
        watched.update(kRunning, second.pid(), 120);
    const std::string hidden = watched.table.find("web")->hidden;
    ::setrlimit(RLIMIT_NOFILE, &before);
    BOOST_TEST(hidden.find("Too many open files") != std::string::npos, hidden);
    BOOST_TEST(watched.starts() == 1U);
    watched.update(kRunning, second.pid(), 120);
    BOOST_TEST(watched.table.find("web")->hidden == "");
    BOOST_TEST(watched.table.find("web")->process.pid == second.pid());
    BOOST_TEST(watched.starts() == 1U);
    BOOST_TEST(watched.told == (std::vector<std::string>{"started web", "ended web", "started web"}));
}

BOOST_AUTO_TEST_CASE(a_process_that_proc_hides_has_not_ended) {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("proc", "/proc", "proc", 0, "hidepid=2") != 0)
        skip("needs root and a mount namespace of its own");
    const Subprocess hidden({"/bin/sleep", "100"});
    const pid_t child = ::fork();
    if (child == 0) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(12345) != 0 || ::setuid(12345) != 0)
            ::_exit(2);
        Watched watched;
        watched.update(kRunning, hidden.pid(), 100);
        ::_exit(watched.table.find("web")->hidden.find("hidepid") == std::string::npos);
    }
    int status = -1;
    BOOST_REQUIRE_EQUAL(::waitpid(child, &status, 0), child);
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
