// What the logs say, and how: JSON for programs, every change of state, and logrotate(8) in place of the own
// rotation.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/open_port.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <map>
#include <memory>
#include <sstream>

using namespace healthcheckd::test;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(e2e_logs)

namespace {

// The lines as objects. One that is none fails the test.
std::vector<json> objects(const std::string& text) {
    std::vector<json> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        json object = json::parse(line, nullptr, false);
        BOOST_TEST(object.is_object(), line);
        if (object.is_object())
            all.push_back(std::move(object));
    }
    return all;
}

void check_common_fields(const json& line) {
    static const std::regex time("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
    BOOST_TEST(std::regex_match(line.value("time", ""), time), line);
    BOOST_TEST(std::regex_match(line.value("level", ""), std::regex("debug|info|warning|error")), line);
    BOOST_TEST(line.contains("text"), line);
    BOOST_TEST(line.contains("cat") == line.contains("program"), line);
}

// The first line that goes from one state to another; null when there is none.
json change(const std::vector<json>& log, const std::string& cat, const std::string& to) {
    for (const json& line : log)
        if (line.value("cat", "") == cat && line.value("to", "") == to)
            return line;
    return nullptr;
}

std::string tcp_cat(const std::string& name, const std::string& more) {
    return name + ": {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, " + more + "}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_line_of_all_logs_is_json_whatever_programs_are_called_and_say) {
    const Supervisord supervisord({{.name = "网关", .command = "/bin/sleep 1000"},
                                   {.name = "it's\"quoted\\\"", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), R"(
big: {program: 网关, type: mem, maxMem: 0.1, periodSeconds: 0.2, failureThreshold: 3, action: exec, execCmd: 'printf "\"\\\\ \377\001\n{"'}
odd: {program: "it's\"quoted\\\"", type: mem, periodSeconds: 0.2, action: restart}
named: {program: "no \"such\" 程序", pidGet: name, type: mem, periodSeconds: 0.2, action: restart}
absent: {program: "nobody", type: mem, periodSeconds: 0.2, failureThreshold: 2, action: restart}
)",
                  {.arguments = {"-v"}, .config_lines = "logFormat: json"});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("exec done: "));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("could not be checked 2 times in a row"));
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("odd", [](const auto& cat) { return cat["state"] == "healthy"; }));
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("named", [](const auto& cat) { return cat["state"] == "idle"; }));
    const pid_t pid = supervisord.pid("网关");
    BOOST_TEST(daemon.stop().status == 0);

    const std::vector<json> log = objects(daemon.log());
    for (const json& line : log)
        check_common_fields(line);
    const json failed = change(log, "big", "failed");
    BOOST_TEST(failed["program"] == "网关", failed);
    BOOST_TEST(failed["level"] == "warning", failed);
    BOOST_TEST(failed["from"] == "failing", failed);
    BOOST_TEST(failed["failures"] == 3, failed);
    BOOST_TEST(failed["failureThreshold"] == 3, failed);
    BOOST_TEST(failed["successes"] == 0, failed);
    BOOST_TEST(failed["successThreshold"] == 1, failed);
    BOOST_TEST(failed.value("reason", "").find("limit") != std::string::npos, failed);
    const json first = change(log, "big", "failing");
    BOOST_TEST(first["from"] == "starting", first);
    BOOST_TEST(first["failures"] == 1, first);
    BOOST_TEST(change(log, "odd", "healthy")["program"] == "it's\"quoted\\\"");
    BOOST_TEST(change(log, "named", "idle")["program"] == "no \"such\" 程序");
    BOOST_TEST(change(log, "absent", "unknown")["level"] == "error");
    BOOST_TEST(log.back()["text"] == "stopped");

    const std::vector<json> cat_log = objects(daemon.cat_log("big"));
    int probes = 0;
    for (const json& line : cat_log) {
        check_common_fields(line);
        BOOST_TEST(line["cat"] == "big", line);
        BOOST_TEST(line["program"] == "网关", line);
        if (line.value("verdict", "") != "failure")
            continue;
        ++probes;
        BOOST_TEST(line["value"] > line["limit"], line);
        BOOST_TEST(line["unit"] == "MB", line);
        BOOST_TEST(line["tookMs"].is_number(), line);
        BOOST_TEST(line["pid"] == pid, line);
    }
    BOOST_TEST(probes >= 3);
    for (const char* cat : {"odd", "named", "absent"})
        BOOST_TEST(!objects(daemon.cat_log(cat)).empty(), cat);
}

BOOST_AUTO_TEST_CASE(complaints_about_the_configuration_are_text) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), "cat1: {program: web, type: mem, periodSecond: 1}\n",
                  {.config_lines = "logFormat: json"});
    BOOST_TEST(daemon.wait_end(0).status == 1);
    BOOST_TEST(daemon.log().find(" error " + daemon.config_file() + ":") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_reload_changes_the_format_of_all_logs) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), "cat1: {program: web, type: mem, periodSeconds: 0.2, action: restart}\n",
                  {.config_lines = "logFormat: text"});
    BOOST_TEST_REQUIRE(
        wait_until([&] { return daemon.cat_log("cat1").find("] success: ") != std::string::npos; }));
    std::string config = read_file(daemon.config_file());
    config.replace(config.find("logFormat: text"), 15, "logFormat: json");
    (void)daemon.dir().write("config.yaml", config, 0600);
    daemon.signal(SIGHUP);
    BOOST_TEST(daemon.wait_for_log("\"text\":\"configuration reloaded: "));
    BOOST_TEST(wait_until(
        [&] { return daemon.cat_log("cat1").find("\"verdict\":\"success\"") != std::string::npos; }));
}

// Each change begins where the last one ended: none was made in silence.
BOOST_AUTO_TEST_CASE(every_change_of_state_is_one_line_with_both_states_the_counts_and_the_reason) {
    const int port = free_port();
    auto listening = std::make_unique<OpenPort>(port);
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const std::string common = "failureThreshold: 2, action: exec, execCmd: 'true', port: ";
    Daemon daemon(supervisord.url(),
                  tcp_cat("port", common + std::to_string(port)) +
                      "mem: {program: web, type: mem, periodSeconds: 0.2, action: restart}\n"
                      "later: {program: later, type: mem, periodSeconds: 0.2, failureThreshold: 2, "
                      "action: restart}\n"
                      "file: {program: web, type: mem, pidGet: file, pidFile: " +
                      supervisord.dir().file("web.pid") + ", periodSeconds: 0.2, action: restart}\n",
                  {.config_lines = "logFormat: json"});
    const auto is = [&](const std::string& cat, const std::string& state) {
        BOOST_TEST(daemon.wait_for_state(cat, [&](const auto& now) { return now["state"] == state; }),
                   cat << " never is " << state);
    };
    for (const char* cat : {"port", "mem"})
        is(cat, "healthy");
    is("later", "unknown");
    is("file", "idle");
    listening.reset();
    is("port", "failed");
    listening = std::make_unique<OpenPort>(port);
    is("port", "healthy");
    const auto write_pid = [&](pid_t pid) {
        (void)supervisord.dir().write("web.pid", std::to_string(pid) + "\n");
    };
    write_pid(supervisord.pid("web"));
    is("file", "healthy");
    BOOST_TEST_REQUIRE(supervisord.ctl({"stop", "web"}).status == 0);
    for (const char* cat : {"port", "mem"})
        is(cat, "idle");
    supervisord.set_programs(
        {{.name = "web", .command = "/bin/sleep 1000"}, {.name = "later", .command = "/bin/sleep 1000"}});
    BOOST_TEST_REQUIRE(supervisord.ctl({"update"}).status == 0);
    is("later", "healthy");
    BOOST_TEST_REQUIRE(supervisord.ctl({"restart", "later"}).status == 0);
    is("later", "healthy");
    supervisord.ctl({"start", "web"});
    write_pid(supervisord.pid("web"));
    for (const char* cat : {"port", "mem", "file"})
        is(cat, "healthy");
    // One found by its file that is replaced by another one, while both live.
    const auto found = [&](pid_t pid) {
        BOOST_TEST(daemon.wait_for_state(
            "file", [&](const auto& now) { return now["state"] == "healthy" && now["pid"] == pid; }));
    };
    found(supervisord.pid("web"));
    write_pid(supervisord.pid("later"));
    found(supervisord.pid("later"));
    BOOST_TEST(daemon.count_log("the process found is another one now, pid ") >= 1U);
    BOOST_TEST(daemon.stop().status == 0);

    std::map<std::string, std::string> now;
    std::map<std::string, int> seen;
    for (const json& line : objects(daemon.log())) {
        if (!line.contains("from"))
            continue;
        const std::string cat = line["cat"];
        const std::string from = line["from"];
        const std::string to = line["to"];
        const std::string last = now.contains(cat) ? now[cat] : "starting";
        BOOST_TEST(from == last, cat << ": " << line);
        BOOST_TEST(line["text"].get<std::string>().starts_with(from + " -> " + to), line);
        BOOST_TEST(line["text"].get<std::string>().ends_with(line["reason"].get<std::string>()), line);
        BOOST_TEST(!line["reason"].get<std::string>().empty(), line);
        for (const char* count : {"failures", "failureThreshold", "successes", "successThreshold"})
            BOOST_TEST(line[count].is_number_unsigned(), line);
        now[cat] = to;
        ++seen[from + ' ' + to];
    }
    for (const char* cat : {"port", "mem", "later", "file"})
        BOOST_TEST(now[cat] == "healthy", cat);
    for (const char* pair :
         {"starting healthy", "starting unknown", "starting idle", "healthy failing", "failing failed",
          "failed healthy", "healthy idle", "idle starting", "unknown starting", "healthy starting"})
        BOOST_TEST(seen[pair] > 0, pair);
}

BOOST_AUTO_TEST_CASE(a_link_in_the_log_folder_is_written_through_by_nobody_and_the_checks_go_on) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    // `full` is due for its rotation at once.
    DaemonOptions options;
    options.wrapper = {"/bin/sh", "-c",
                       "cd \"$(dirname \"$3\")\"; echo precious > victim; mkdir -p log; cd log;"
                       "ln -s ../victim linked.log; ln -s ../victim full.log.1;"
                       "head -c 20000 /dev/zero > full.log; exec \"$@\"",
                       "sh"};
    options.config_lines = "logMaxBytes: 10000\nlogBackups: 2";
    Daemon daemon(supervisord.url(),
                  "linked: {program: web, type: mem, periodSeconds: 0.2, action: restart}\n"
                  "full: {program: web, type: mem, periodSeconds: 0.2, action: restart}\n",
                  options);
    const std::string log = daemon.log_dir() + "/";
    BOOST_TEST(daemon.wait_for_log("[linked web] the worker's log is not written: " + log +
                                   "linked.log is a symbolic link"));
    for (const char* cat : {"linked", "full"})
        BOOST_TEST(daemon.wait_for_state(cat, [](const auto& now) { return now["probes"] >= 5; }));
    BOOST_TEST(wait_until([&] { return std::filesystem::is_symlink(log + "full.log.2"); }));
    BOOST_TEST(wait_until([&] { return std::filesystem::file_size(log + "full.log.1") >= 20000; }));
    // The other one's new file is refused as the first one was.
    daemon.signal(SIGUSR2);
    BOOST_TEST(
        daemon.wait_for_log("a log file could not be renewed: " + log + "linked.log is a symbolic link"));
    BOOST_TEST(read_file(daemon.dir().file("victim")) == "precious\n");
    BOOST_TEST(daemon.count_log("the worker's log is not written") == 1U);
}

BOOST_AUTO_TEST_CASE(logrotate_with_our_file_rotates_the_logs_and_the_workers_go_on_in_new_ones) {
    const std::string logrotate = installed("logrotate");
    const TempDir dir;
    const std::string config = dir.file("config.yaml");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"},
                                   {.name = "healthCheck",
                                    .command = healthcheckd_binary() + " -c " + config,
                                    .extra = "autostart=false\nstderr_logfile=" + dir.file("stderr")}});
    dir.write("config.yaml",
              "config: {supervisordUrl: '" + supervisord.url() + "', logDir: " + dir.file("log") +
                  ", stateDir: " + dir.file("state") + ", socket: " + dir.file("s") +
                  "}\ncat1: {program: web, type: mem, periodSeconds: 0.2, action: restart}\n",
              0600);
    BOOST_TEST_REQUIRE(supervisord.ctl({"start", "healthCheck"}).status == 0);
    const std::string log = dir.file("log/cat1.log");
    BOOST_TEST_REQUIRE(
        wait_until([&] { return read_file(log).find("success: ") != std::string::npos; }, 20s));

    // Our file, with the paths of this test in place of those of a machine.
    std::string rules = read_file((source_dir() / "conf/logrotate").string());
    const auto replace = [&](const std::string& what, const std::string& with) {
        const std::size_t at = rules.find("\n" + what) != std::string::npos ? rules.find("\n" + what) + 1
                                                                            : rules.find(" " + what) + 1;
        BOOST_TEST_REQUIRE(at != 0U, what);
        rules.replace(at, what.size(), with);
    };
    replace("/var/log/healthcheckd/*.log", dir.file("log") + "/*.log");
    replace("supervisorctl signal",
            "supervisorctl -c " + supervisord.dir().file("supervisord.conf") + " signal");
    const std::string rules_file = dir.write("rules", rules);
    const auto rotate = [&] {
        const CommandResult done = run_command({logrotate, "-f", "-v", "-s", dir.file("status"), rules_file});
        BOOST_TEST(done.status == 0, done.output);
        BOOST_TEST(done.output.find("error:") == std::string::npos, done.output);
    };
    rotate();
    BOOST_TEST(std::filesystem::exists(log + ".1"));
    BOOST_TEST(wait_until([&] { return read_file(log).find("success: ") != std::string::npos; }));
    // The next time the first one is packed, and it holds all that was written to it.
    rotate();
    BOOST_TEST(std::filesystem::exists(log + ".2.gz"));
    BOOST_TEST(wait_until([&] { return read_file(log).find("success: ") != std::string::npos; }));

    // When nobody can be signalled it is silent: there may be no healthcheckd just now.
    supervisord.ctl({"stop", "healthCheck"});
    rotate();
}

BOOST_AUTO_TEST_SUITE_END()
