// healthcheckd -o: every cat once, a table, an exit status, and nothing else.
#include "common/text/width.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/daemon/missing_layers.h"
#include "t/fixture/net/open_port.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_once)

namespace {

// A configuration in a folder of its own, and what -o says about it.
class OnceRun {
public:
    OnceRun(const std::string& url, const std::string& cats, const std::string& more = "") {
        dir_.write("config.yaml",
                   "config:\n    supervisordUrl: " + url + "\n    logDir: " + dir_.file("log") +
                       "\n    stateDir: " + dir_.file("state") + "\n    socket: " + dir_.file("s") + "\n" +
                       more + cats,
                   0600);
        run();
    }
    void run(const std::vector<std::string>& options = {"-o"}) {
        std::vector<std::string> argv{healthcheckd_binary(), "-c", dir_.file("config.yaml")};
        argv.insert(argv.end(), options.begin(), options.end());
        const auto begin = std::chrono::steady_clock::now();
        const CommandResult result = run_command(argv, 60s);
        took = std::chrono::steady_clock::now() - begin;
        status = result.status;
        output = result.output;
    }
    // The line of `cat`, "" when there is none.
    std::string line(const std::string& cat) const {
        std::istringstream lines(output);
        for (std::string text; std::getline(lines, text);)
            if (text.starts_with(cat + ' '))
                return text;
        return "";
    }
    bool says(const std::string& cat, const std::string& text) const {
        return line(cat).find(text) != std::string::npos;
    }
    const TempDir& dir() const { return dir_; }

    int status = -1;
    std::string output;
    std::chrono::duration<double> took{};

private:
    TempDir dir_;
};

// The lines of a log that complain, but for the one that says what this machine and this build lack.
std::vector<std::string> complaints(const std::string& log) {
    std::vector<std::string> found;
    const std::set<std::string> missing_here = layers_missing_here();
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
        const std::set<std::string> missed = layers_missed_by(line);
        if ((missed.empty() || !std::ranges::includes(missing_here, missed)) &&
            (line.find("warning") != std::string::npos || line.find("error") != std::string::npos))
            found.push_back(line);
    }
    return found;
}

// "1 of 2 cats succeeded; ..." is the last line.
bool sums_up(const OnceRun& once, const std::string& summary) {
    return once.output.ends_with("\n" + summary + "\n");
}

}  // namespace

BOOST_AUTO_TEST_CASE(its_workers_have_no_log_open) {
    const TempDir dir;
    const std::string config =
        dir.write("config.yaml",
                  "config: {logDir: " + dir.file("log") + ", stateDir: " + dir.file("state") + ", socket: " +
                      dir.file("s") + "}\nquiet: {program: system, type: cpu, maxCpu: 100, action: none}\n",
                  0600);
    Subprocess once({healthcheckd_binary(), "-c", config, "-o"});
    // Of its worker, as long as that lives: cpu takes two measurements, a second apart.
    std::set<std::string> open;
    BOOST_TEST(wait_until([&] {
        for (const ProcessInfo& child : descendants(once.pid())) {
            std::error_code gone;
            if (child.title.find("quiet [cpu") != std::string::npos)
                for (const auto& fd :
                     std::filesystem::directory_iterator("/proc/" + std::to_string(child.pid) + "/fd", gone))
                    open.insert(std::filesystem::read_symlink(fd.path(), gone).string());
        }
        return !once.running();
    }));
    BOOST_TEST(open.contains("/dev/null"), "no worker was seen");
    for (const std::string& target : open)
        BOOST_TEST(!target.ends_with(".log"), target);
}

BOOST_AUTO_TEST_CASE(when_all_cats_succeed_the_table_says_so_and_the_status_is_0) {
    const int port = free_port();
    const auto listening = std::make_unique<OpenPort>(port);
    const Supervisord supervisord(
        {{.name = "网关", .command = "/bin/sleep 1000"}, {.name = "web", .command = "/bin/sleep 1000"}});
    const OnceRun once(supervisord.url(),
                       "mem: {program: 网关, type: mem, initialDelaySeconds: 300, action: restart}\n"
                       "port: {program: web, type: tcp, host: 127.0.0.1, port: " +
                           std::to_string(port) +
                           ", action: restart}\n"
                           "cpu: {program: web, type: cpu, action: restart}\n"
                           "restarts: {program: web, type: restart, action: email}\n"
                           "machine: {program: system, type: mem, maxMem: 100000000, action: email}\n"
                           "off: {program: nobody, type: mem, enabled: false, action: restart}\n");
    BOOST_TEST(once.status == 0, once.output);
    BOOST_TEST(sums_up(once, "5 of 5 cats succeeded; 1 disabled"), once.output);
    for (const char* cat : {"mem", "port", "cpu", "restarts", "machine"})
        BOOST_TEST(once.says(cat, " success "), once.output);
    BOOST_TEST(once.says("mem", " 1024 MB  "), once.output);
    BOOST_TEST(once.says("cpu", "cpu "), once.output);
    BOOST_TEST(once.says("off", " disabled "), once.output);
    BOOST_TEST(once.took.count() < 6 * slower());
    // The second measurement of cpu came a second after the first.
    BOOST_TEST(once.took.count() > 1);

    // Columns are where a terminal shows them: 网关 takes four of them.
    std::istringstream lines(once.output);
    std::string titles;
    std::getline(lines, titles);
    BOOST_TEST(titles.starts_with("CAT "), once.output);
    const std::size_t type = titles.find("TYPE");
    const std::string mem = once.line("mem");
    BOOST_TEST(healthcheckd::text_width(mem.substr(0, mem.find(" mem ") + 1)) == type, once.output);
    BOOST_TEST(once.line("port").find(" tcp ") + 1 == type, once.output);
}

BOOST_AUTO_TEST_CASE(one_that_fails_makes_the_status_1_and_the_table_says_why) {
    const int port = free_port();
    const TempDir tools;
    const std::string spin = "spin" + std::to_string(::getpid());  // no other test's process goes by it
    std::filesystem::copy_file(program("spin.py"), tools.file(spin));
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"},
                                   {.name = "down", .command = "/bin/sleep 1000", .extra = "autostart=false"},
                                   {.name = "spin", .command = tools.file(spin)}});
    const OnceRun once(supervisord.url(),
                       "good: {program: web, type: mem, action: restart}\n"
                       "big: {program: web, type: mem, maxMem: 0.1, action: restart}\n"
                       "port: {program: web, type: tcp, host: 127.0.0.1, action: restart, port: " +
                           std::to_string(port) +
                           "}\n"
                           "spins: {program: spin, type: cpu, maxCpu: 2, action: restart}\n"
                           "named: {program: " +
                           spin +
                           ", pidGet: name, type: cpu, maxCpu: 2, action: kill}\n"
                           "down: {program: down, type: mem, action: restart}\n"
                           "absent: {program: nobody, type: mem, action: restart}\n");
    BOOST_TEST(once.status == 1, once.output);
    BOOST_TEST(sums_up(once, "1 of 7 cats succeeded; 4 failure, 1 idle, 1 unknown"), once.output);
    BOOST_TEST(once.says("good", " success "), once.output);
    BOOST_TEST(once.says("big", "at or above the limit of 0.1 MB"), once.output);
    BOOST_TEST(once.says("port", "efused"), once.output);
    BOOST_TEST(once.says("spins", "at or above the limit of 2 %"), once.output);
    BOOST_TEST(once.says("named", "at or above the limit of 2 %"), once.output);
    BOOST_TEST(once.says("down", "not running (STOPPED)"), once.output);
    BOOST_TEST(once.says("absent", "supervisord has no program 'nobody'"), once.output);
}

BOOST_AUTO_TEST_CASE(idle_and_unknown_are_no_success) {
    const Supervisord supervisord({{.name = "down", .command = "/bin/true", .extra = "autostart=false"}});
    for (const std::string name : {"down", "nobody"}) {
        const OnceRun once(supervisord.url(), "cat1: {program: " + name + ", type: mem, action: restart}\n");
        BOOST_TEST(once.status == 1, once.output);
    }
}

BOOST_AUTO_TEST_CASE(cats_are_looked_at_side_by_side_and_a_server_that_hangs_is_waited_for_once) {
    const WebServer server;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    std::string cats;
    for (int i = 0; i < 10; ++i)
        cats += "hang" + std::to_string(i) +
                ": {program: web, type: http, host: 127.0.0.1, path: /hang, timeoutSeconds: 2, "
                "action: restart, port: " +
                std::to_string(server.port()) + "}\n";
    const OnceRun once(supervisord.url(), cats);
    BOOST_TEST(once.status == 1, once.output);
    BOOST_TEST(sums_up(once, "0 of 10 cats succeeded; 10 failure"), once.output);
    BOOST_TEST(once.took.count() < 8 * slower());
    BOOST_TEST(once.took.count() >= 2);
}

BOOST_AUTO_TEST_CASE(without_supervisord_cats_that_need_it_are_unknown_and_say_why) {
    const TempDir dir;
    const OnceRun once("unix://" + dir.file("absent.sock"),
                       "web: {program: web, type: mem, action: restart}\n"
                       "pool: {program: 'pool:*', type: mem, action: restart}\n"
                       "machine: {program: system, type: mem, maxMem: 100000000, action: email}\n");
    BOOST_TEST(once.status == 1, once.output);
    for (const char* cat : {"web", "pool"}) {
        BOOST_TEST(once.says(cat, " unknown "), once.output);
        BOOST_TEST(once.says(cat, "supervisord was never reached: "), once.output);
    }
    BOOST_TEST(once.says("machine", " success "), once.output);
    BOOST_TEST(once.took.count() < 5 * slower());
}

BOOST_AUTO_TEST_CASE(a_supervisord_that_hangs_makes_them_unknown_in_time) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    supervisord.signal(SIGSTOP);
    const OnceRun once(supervisord.url(), "web: {program: web, type: mem, action: restart}\n");
    supervisord.signal(SIGCONT);
    BOOST_TEST(once.status == 1, once.output);
    BOOST_TEST(once.says("web", " unknown "), once.output);
    BOOST_TEST(once.says("web", "supervisord"), once.output);
    BOOST_TEST(once.took.count() < 12 * slower());
}

BOOST_AUTO_TEST_CASE(each_member_of_a_group_has_a_line_and_an_empty_group_is_a_failure) {
    const Supervisord supervisord(
        {}, {.raw = "[program:pool]\ncommand=/usr/bin/setpriv --pdeathsig KILL /bin/sleep 1000\nnumprocs=2\n"
                    "startsecs=0\ndirectory=/\nprocess_name=%(program_name)s_%(process_num)02d\n"});
    const std::string pool = "pool: {program: 'pool:*', type: mem, action: restart}\n";
    const OnceRun good(supervisord.url(), pool);
    BOOST_TEST(good.status == 0, good.output);
    for (const char* cat : {"pool/pool_00", "pool/pool_01"})
        BOOST_TEST(good.says(cat, " success "), good.output);
    const OnceRun bad(supervisord.url(), pool + "none: {program: 'none:*', type: mem, action: restart}\n");
    BOOST_TEST(bad.status == 1, bad.output);
    BOOST_TEST(bad.says("none", " failure "), bad.output);
    BOOST_TEST(bad.says("none", "supervisord has no group 'none'"), bad.output);
    BOOST_TEST(sums_up(bad, "2 of 3 cats succeeded; 1 failure"), bad.output);
}

BOOST_AUTO_TEST_CASE(nothing_is_done_told_written_or_finished) {
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/sleep 1000"}, {.name = "left", .command = "/bin/sleep 1000"}});
    const pid_t pid = supervisord.pid("web");
    const TempDir outside;
    const std::string mark = outside.file("mark");
    OnceRun once(supervisord.url(),
                 "kills: {program: web, type: mem, maxMem: 0.1, failureThreshold: 1, action: 'kill,email'}\n"
                 "runs: {program: web, type: mem, maxMem: 0.1, failureThreshold: 1, action: exec, "
                 "execCmd: 'date > " +
                     mark +
                     "'}\n"
                     "restarts: {program: web, type: mem, maxMem: 0.1, failureThreshold: 1}\n",
                 "    mail: {host: 127.0.0.1, port: 25, user: a@b.c, to_list: [a@b.c], tls: none}\n");
    BOOST_TEST(once.status == 1, once.output);
    BOOST_TEST(sums_up(once, "0 of 3 cats succeeded; 3 failure"), once.output);
    // A restart that a daemon has left in the middle is that daemon's to finish.
    BOOST_TEST_REQUIRE(supervisord.ctl({"stop", "left"}).status == 0);
    std::filesystem::create_directories(once.dir().path() / "state/restarts");
    const std::string record = once.dir().write("state/restarts/left.restart", "left\n0\n");
    once.run();
    BOOST_TEST(read_file(record) == "left\n0\n");
    BOOST_TEST(supervisord.state("left") == "STOPPED");
    BOOST_TEST(supervisord.pid("web") == pid);
    BOOST_TEST(alive(pid));
    BOOST_TEST(!std::filesystem::exists(mark));
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(once.dir().path()))
        if (!entry.is_directory())
            files.push_back(entry.path().filename());
    std::ranges::sort(files);
    BOOST_TEST(files == (std::vector<std::string>{"config.yaml", "left.restart"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_daemon_that_runs_beside_it_notices_nothing) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const std::string ghost = "ghost" + std::to_string(::getpid()) + "program";
    const std::string cats = "cat1: {program: web, type: mem, periodSeconds: 0.2, action: restart}\n"
                             "named: {program: " +
                             ghost + ", type: mem, pidGet: name, periodSeconds: 0.2, action: restart}\n";
    Daemon daemon(supervisord.url(), cats);
    const auto healthy = [](const auto& cat) {
        return cat["state"] == "healthy";
    };
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1", healthy));
    const auto lines_of_others = [&] {  // in the cat's log: from a worker other than the daemon's
        const std::string text = daemon.cat_log("cat1");
        std::size_t requests = 0;
        for (std::size_t at = text.find("] confined as "); at != std::string::npos;
             at = text.find("] confined as ", at + 1))
            ++requests;
        return requests;
    };
    const CommandResult once = run_command({healthcheckd_binary(), "-o", "-c", daemon.config_file()}, 30s);
    BOOST_TEST(once.status == 1, once.output);
    BOOST_TEST(once.output.find("1 of 2 cats succeeded; 1 idle") != std::string::npos, once.output);
    // A process of either is not what is looked for by its name, although it names it in its title.
    BOOST_TEST(once.output.find(" goes by the name " + ghost) != std::string::npos, once.output);
    BOOST_TEST(lines_of_others() == 1U);
    BOOST_TEST(daemon.wait_for_state("cat1", healthy));
    BOOST_TEST(daemon.wait_for_state("named", [](const auto& cat) { return cat["state"] == "idle"; }));
    BOOST_TEST(complaints(daemon.log()) == std::vector<std::string>(), boost::test_tools::per_element());
    BOOST_TEST(daemon.stop().status == 0);
}

BOOST_AUTO_TEST_CASE(a_configuration_with_errors_is_not_looked_at) {
    OnceRun once("unix:///nowhere", "cat1: {program: web, type: mem, maxMen: 5}\n");
    BOOST_TEST(once.status == 1);
    BOOST_TEST(once.output.find("config.yaml:6:") != std::string::npos, once.output);
    BOOST_TEST(once.output.find("CAT") == std::string::npos, once.output);
}

BOOST_AUTO_TEST_CASE(verbose_prints_the_log_too) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    OnceRun once(supervisord.url(), "cat1: {program: web, type: mem, action: restart}\n");
    BOOST_TEST(once.output.find("starting -> healthy") == std::string::npos, once.output);
    once.run({"--once", "-v"});
    BOOST_TEST(once.status == 0, once.output);
    BOOST_TEST(once.output.find(" info [cat1 web] starting -> healthy ") != std::string::npos, once.output);
}

BOOST_AUTO_TEST_SUITE_END()
