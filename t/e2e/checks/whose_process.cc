// Only a process that supervisord itself started is measured and acted upon, and every one of these is.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/listener.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_whose_process)

namespace {

// A supervisord that is the first process of a pid namespace, where its program web has the number that a
// process of ours has here. The path of its socket and its port are those of this machine.
class Elsewhere {
public:
    explicit Elsewhere(pid_t number) {
        dir_.write("s.conf", "[supervisord]\nnodaemon=true\nlogfile=" + dir_.file("log") +
                                 "\npidfile=" + dir_.file("pid") +
                                 "\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
                                 "supervisor.rpcinterface:make_main_rpcinterface\n"
                                 "[unix_http_server]\nfile=" +
                                 socket() + "\n[inet_http_server]\nport=127.0.0.1:" + std::to_string(port_) +
                                 "\n[program:web]\ncommand=/bin/sleep 1000\nstartsecs=0\n");
        process_.emplace(std::vector<std::string>{
            "/usr/bin/unshare", "-p", "-f", "--mount-proc", "--kill-child=KILL", "/bin/sh", "-c",
            "echo " + std::to_string(number - 1) +
                " > /proc/sys/kernel/ns_last_pid; exec /usr/bin/supervisord -n -c " + dir_.file("s.conf")});
        if (!wait_until([&] { return std::filesystem::exists(socket()) || !process_->running(); }) ||
            !process_->running())
            skip("no pid namespace can be made here");
    }

    std::string socket() const { return dir_.file("s.sock"); }
    std::vector<std::string> urls() const {
        return {"unix://" + socket(), "http://127.0.0.1:" + std::to_string(port_)};
    }

private:
    TempDir dir_;
    int port_ = free_port();
    std::optional<Subprocess> process_;
};

std::string greedy_cat(const std::string& name, const std::string& program, const std::string& rest) {
    return name + ": {program: '" + program + "', type: mem, maxMem: 0.1, periodSeconds: 0.2, " +
           "initialDelaySeconds: 0, failureThreshold: 2, " + rest + "}\n";
}

// A child of the first process of this pid namespace, born now; it ends with the test by its own means.
pid_t orphan(const TempDir& dir) {
    (void)run_command({"/bin/sh", "-c",
                       "setsid sh -c 'sleep 120 & echo $! > " + dir.file("new") + "; mv " + dir.file("new") +
                           " " + dir.file("orphan") + "' > /dev/null 2>&1 < /dev/null"});
    BOOST_REQUIRE(wait_until([&] { return !read_file(dir.file("orphan")).empty(); }));
    return static_cast<pid_t>(std::stol(read_file(dir.file("orphan"))));
}

bool measured(const nlohmann::json& cat) {
    return cat["lastProbe"].is_object() && cat["lastProbe"]["verdict"] == "failure";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_stranger_with_the_number_of_a_program_in_another_pid_namespace_is_left_alone) {
    need_root("needs root, to make a pid namespace");
    Subprocess victim({"/bin/sleep", "1000"});
    const Elsewhere elsewhere(victim.pid());
    const Listener server(AF_INET, 1000);
    for (const std::string& url : elsewhere.urls())
        BOOST_TEST_CONTEXT(url) {
            const Daemon daemon(
                url,
                greedy_cat("kill", "web", "action: kill") + greedy_cat("restart", "web", "action: restart") +
                    greedy_cat("exec", "web", "action: exec, execCmd: 'echo ran'") +
                    "tcp: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, action: restart, "
                    "port: " +
                    std::to_string(server.port()) + "}\n");
            for (const char* cat : {"kill", "restart", "exec"})
                BOOST_TEST(
                    daemon.wait_for_state(cat, [](const auto& state) { return state["state"] == "unknown"; }),
                    cat << '\n'
                        << daemon.log());
            BOOST_TEST(
                daemon.wait_for_state("tcp", [](const auto& state) { return state["state"] == "healthy"; }),
                daemon.log());
            const std::string why = daemon.state("kill")["lastProbe"]["message"];
            BOOST_TEST(why.find("pid " + std::to_string(victim.pid()) + " here is not its process: ") == 0U,
                       why);
            BOOST_TEST(why.find("another pid namespace") != std::string::npos, why);
            BOOST_TEST(victim.running());
            for (const char* deed : {"kill begins", "restart begins", "exec begins"})
                BOOST_TEST(daemon.count_log(deed) == 0U, daemon.log());
        }
}

BOOST_AUTO_TEST_CASE(a_stranger_whose_parent_has_the_number_that_supervisord_has_in_there_is_left_alone_too) {
    need_root("needs root, to make a pid namespace");
    const TempDir dir;
    const pid_t victim = orphan(dir);
    if (process_info(victim)->parent != 1)
        skip("what loses its parent here is not given to process 1");
    const Elsewhere elsewhere(victim);
    for (const std::string& url : elsewhere.urls())
        BOOST_TEST_CONTEXT(url) {
            const Daemon daemon(url, greedy_cat("cat1", "web", "action: kill"));
            BOOST_TEST(
                daemon.wait_for_state("cat1", [](const auto& state) { return state["state"] == "unknown"; }),
                daemon.log());
            BOOST_TEST(alive(victim));
        }
    send_signal(victim, SIGKILL);
}

BOOST_AUTO_TEST_CASE(where_nobody_here_has_the_number_of_a_program_checks_of_its_ports_go_on) {
    need_root("needs root, to make a pid namespace");
    pid_t free_number = 0;
    {
        Subprocess gone({"/bin/true"});
        free_number = gone.pid();
        BOOST_REQUIRE(gone.wait(10s) != -1);
    }
    const Elsewhere elsewhere(free_number);
    const Listener server(AF_INET, 1000);
    for (const std::string& url : elsewhere.urls())
        BOOST_TEST_CONTEXT(url) {
            const Daemon daemon(
                url, greedy_cat("mem", "web", "action: restart") +
                         "tcp: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, action: "
                         "restart, port: " +
                         std::to_string(server.port()) + "}\n");
            BOOST_TEST(
                daemon.wait_for_state("mem", [](const auto& state) { return state["state"] == "unknown"; }),
                daemon.log());
            BOOST_TEST(
                daemon.wait_for_state("tcp", [](const auto& state) { return state["state"] == "healthy"; }),
                daemon.log());
        }
}

BOOST_AUTO_TEST_CASE(every_kind_of_program_that_supervisord_starts_is_measured_from_its_first_process_on) {
    const TempDir dir;
    const std::string listener = "#!/usr/bin/python3\nimport sys\nwhile True:\n    "
                                 "sys.stdout.write('READY\\n')\n    sys.stdout.flush()\n"
                                 "    line = sys.stdin.readline()\n    if not line:\n        break\n"
                                 "    sys.stdin.read(int(dict(x.split(':') for x in line.split())['len']))\n"
                                 "    sys.stdout.write('RESULT 2\\nOK')\n    sys.stdout.flush()\n";
    const std::string script = dir.write("events.py", listener);
    std::filesystem::permissions(script, std::filesystem::perms::all);
    const Supervisord supervisord(
        {{.name = "plain", .command = "/bin/sleep 1000", .extra = "autorestart=true"},
         {.name = "group",
          .command = "/bin/sh -c 'sleep 1000; :'",
          .extra = "stopasgroup=true\nkillasgroup=true"},
         {.name = "forked", .command = "/bin/sleep 1000", .extra = {}, .tied = false}},
        {.raw = "[fcgi-program:fcgi]\ncommand=/bin/sleep 1000\nstartsecs=0\nsocket=unix://" +
                dir.file("fcgi.sock") + "\n[eventlistener:events]\ncommand=" + script +
                "\nevents=TICK_3600\nstartsecs=0\n"});
    const std::vector<std::string> programs = {"plain", "group", "forked", "fcgi:fcgi", "events:events"};
    std::string cats;
    for (std::size_t i = 0; i < programs.size(); ++i)
        cats += greedy_cat("c" + std::to_string(i), programs[i].substr(programs[i].find(':') + 1),
                           "action: email");
    const Daemon daemon(supervisord.url(), cats);
    for (std::size_t i = 0; i < programs.size(); ++i)
        BOOST_TEST(daemon.wait_for_state("c" + std::to_string(i), measured), programs[i] << '\n'
                                                                                         << daemon.log());
    send_signal(supervisord.running_pid("plain"), SIGKILL);
    const pid_t before = daemon.state("c0")["pid"];
    BOOST_TEST(
        daemon.wait_for_state(
            "c0", [&](const auto& cat) { return measured(cat) && cat["pid"].template get<int>() != before; }),
        daemon.log());
    BOOST_TEST(daemon.count_log("is not its process") == 0U, daemon.log());
}

BOOST_AUTO_TEST_CASE(programs_of_a_supervisord_that_made_itself_a_daemon_are_measured) {
    const TempDir dir;
    const std::string conf = dir.write(
        "s.conf", "[supervisord]\nlogfile=" + dir.file("log") + "\npidfile=" + dir.file("pid") +
                      "\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
                      "supervisor.rpcinterface:make_main_rpcinterface\n[unix_http_server]\nfile=" +
                      dir.file("s.sock") + "\n[program:web]\ncommand=/bin/sleep 1000\nstartsecs=0\n");
    BOOST_REQUIRE(run_command({"/usr/bin/supervisord", "-c", conf}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return !read_file(dir.file("pid")).empty(); }));
    const pid_t supervisord = static_cast<pid_t>(std::stol(read_file(dir.file("pid"))));
    {
        const Daemon daemon("unix://" + dir.file("s.sock"), greedy_cat("cat1", "web", "action: email"));
        BOOST_TEST(daemon.wait_for_state("cat1", measured), daemon.log());
    }
    send_signal(supervisord, SIGTERM);
    BOOST_TEST(wait_until([&] { return !alive(supervisord); }));
}

BOOST_AUTO_TEST_SUITE_END()
