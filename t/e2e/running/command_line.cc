// The command line, as its users call it.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <fstream>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_command_line)

namespace {

struct Row {
    std::vector<std::string> arguments;
    int status;
    std::vector<std::string> output;  // parts that must be there
};

constexpr char kGood[] = "config: {supervisordPass: sesame-1, supervisordUser: u}\n"
                         "cat1: {program: web, type: mem, action: restart}\n";
constexpr char kBad[] = "cat1:\n  program: web\n  type: mem\n  periodSecond: 5\n  maxMem: lots\n"
                        "cat2:\n  program: web\n  type: ping\n";

}  // namespace

BOOST_AUTO_TEST_CASE(each_call_ends_with_its_status_and_says_why) {
    const TempDir dir;
    const std::string good = dir.write("good.yaml", kGood, 0600);
    const std::string bad = dir.write("bad.yaml", kBad, 0600);
    const std::vector<Row> rows = {
        {{"-h"}, 0, {"usage: healthcheckd", "--dump-config"}},
        {{"--help"}, 0, {"usage: healthcheckd"}},
        {{"-V"}, 0, {"healthcheckd "}},
        {{"-t", "-c", good}, 0, {good + ": ok, 1 cats"}},
        {{"--test", "--config", good}, 0, {"ok"}},
        {{"-t", "-c", bad},
         1,
         {bad + ":4:3: error: cat1.periodSecond: ", "'periodSeconds'",
          bad + ":5:11: error: cat1.maxMem: ", bad + ":8:9: error: cat2.type: "}},
        {{"-T", "-c", good}, 0, {"cat1:", "maxMem", "********"}},
        {{"-T", "-c", bad}, 1, {"error"}},
        {{"-c", bad}, 1, {"error", "is not usable"}},
        {{"-t", "-c", dir.file("absent.yaml")}, 1, {"absent.yaml", "No such file"}},
        {{"-x"}, 2, {"unknown option", "usage"}},
        {{"-c"}, 2, {"needs a value", "usage"}},
        {{"more"}, 2, {"unexpected argument 'more'", "usage"}},
    };
    for (const Row& row : rows) {
        std::vector<std::string> argv{healthcheckd_binary()};
        argv.insert(argv.end(), row.arguments.begin(), row.arguments.end());
        const CommandResult result = run_command(argv, 20s);
        BOOST_TEST_CONTEXT(row.arguments[0] << " gave\n" << result.output) {
            BOOST_TEST(result.status == row.status);
            for (const std::string& part : row.output)
                BOOST_TEST(result.output.find(part) != std::string::npos, part << " is missing");
            BOOST_TEST(result.output.find("sesame-1") == std::string::npos);
        }
    }
}

// The daemon executes itself anew at its start (master/entry/bind_now.h); /proc/self/exe is the linker here.
BOOST_AUTO_TEST_CASE(it_starts_when_the_dynamic_linker_is_executed_with_its_name) {
    std::istringstream maps(read_file("/proc/self/maps"));
    std::string linker;
    for (std::string line; std::getline(maps, line) && linker.empty();)
        if (const std::size_t at = line.find('/'); line.find("/ld-") != std::string::npos)
            linker = line.substr(at);
    BOOST_TEST_REQUIRE(!linker.empty());
    const std::vector<std::string> arguments{healthcheckd_binary(), "-c", "/nonexistent/config.yaml"};
    const CommandResult direct = run_command(arguments);
    const CommandResult result = run_command({linker, arguments[0], arguments[1], arguments[2]});
    BOOST_TEST(result.status == direct.status, result.output);
    BOOST_TEST(result.output.find("/nonexistent/config.yaml") != std::string::npos, result.output);
}

BOOST_AUTO_TEST_CASE(a_dumped_configuration_loads_again) {
    const TempDir dir;
    const std::string good =
        dir.write("good.yaml", "cat1: {program: web, type: mem, action: restart}\n", 0600);
    const CommandResult dump = run_command({healthcheckd_binary(), "-T", "-c", good});
    BOOST_TEST_REQUIRE(dump.status == 0);
    const std::string again = dir.write("again.yaml", dump.output, 0600);
    BOOST_TEST(run_command({healthcheckd_binary(), "-T", "-c", again}).output == dump.output);
}

BOOST_AUTO_TEST_CASE(process_titles_name_the_roles) {
    const Supervisord supervisord({{.name = "gateway", .command = "/bin/sleep 1000"}});
    const Daemon daemon(supervisord.url(), "cat1: {program: gateway, type: mem, periodSeconds: 0.3}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("starting -> healthy"));
    BOOST_TEST(process_info(daemon.pid())->title.starts_with("healthcheckd: master"));
    BOOST_TEST(daemon.child("healthcheckd: supervisord link") != 0);
    BOOST_TEST(daemon.child("healthcheckd: cat1 [mem gateway]") != 0);
}

BOOST_AUTO_TEST_CASE(usr1_writes_a_table_and_the_whole_state) {
    const Supervisord supervisord({{.name = "gateway", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(),
                  "cat1: {program: gateway, type: mem, periodSeconds: 0.3, action: restart}\n");
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat1", [](const auto& state) { return state["state"] == "healthy"; }));
    const auto state = daemon.state();
    for (const char* key : {"version", "pid", "started", "config", "supervisord", "cats", "mail"})
        BOOST_TEST(state.contains(key), key << " is missing");
    BOOST_TEST(state["pid"] == daemon.pid());
    BOOST_TEST(state["supervisord"]["reachable"] == true);
    const auto& cat = state["cats"][0];
    for (const char* key :
         {"name", "program", "type", "state", "pid", "failures", "successes", "failureThreshold",
          "successThreshold", "lastProbe", "probes", "worker", "actions"})
        BOOST_TEST(cat.contains(key), key << " is missing");
    for (const char* key : {"at", "verdict", "value", "limit", "unit", "tookMs", "message"})
        BOOST_TEST(cat["lastProbe"].contains(key), key << " is missing");
    BOOST_TEST(cat["pid"] == supervisord.pid("gateway"));
    BOOST_TEST(cat["worker"]["pid"] == daemon.child("cat1 [mem"));
    BOOST_TEST(daemon.wait_for_log("CAT   PROGRAM"));
    BOOST_TEST(daemon.wait_for_log("cat1  gateway  mem   healthy"));
}

BOOST_AUTO_TEST_CASE(a_full_worker_log_is_rotated_and_usr2_opens_a_moved_one_anew) {
    const Supervisord supervisord({{.name = "gateway", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(),
                  "cat1: {program: gateway, type: mem, periodSeconds: 0.1, action: restart}\n",
                  {.config_lines = "logMaxBytes: 10000\nlogBackups: 2"});
    const std::string log = daemon.log_dir() + "/cat1.log";
    BOOST_TEST(wait_until([&] { return std::filesystem::exists(log + ".2"); }, 60s));
    BOOST_TEST(!std::filesystem::exists(log + ".3"));
    BOOST_TEST(wait_until([&] { return !read_file(log).empty(); }, 5s));

    Daemon moved(supervisord.url(),
                 "cat1: {program: gateway, type: mem, periodSeconds: 0.1, action: restart}\n");
    const std::string file = moved.log_dir() + "/cat1.log";
    BOOST_TEST_REQUIRE(wait_until([&] { return !read_file(file).empty(); }));
    std::filesystem::rename(file, file + ".old");
    moved.signal(SIGUSR2);
    BOOST_TEST(wait_until([&] { return !read_file(file).empty(); }));
}

BOOST_AUTO_TEST_SUITE_END()
