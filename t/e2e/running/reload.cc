// SIGHUP: another configuration is taken whole or not at all, and costs what it does not change nothing.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/net/open_port.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <memory>
#include <set>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(e2e_reload)

namespace {

constexpr char kSleep[] = "/bin/sleep 1000";

// Asks supervisord nothing.
std::string mem_cat(const std::string& name, const std::string& more = "") {
    return name +
           ": {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, "
           "initialDelaySeconds: 0, action: email" +
           more + "}\n";
}

bool healthy(const nlohmann::json& cat) {
    return cat["state"] == "healthy";
}

void reload(const Daemon& daemon, std::size_t times) {
    daemon.signal(SIGHUP);
    BOOST_TEST_REQUIRE(daemon.wait_for_log("configuration reloaded: ", 20s, times));
}

std::size_t open_descriptors(pid_t pid) {
    const std::filesystem::directory_iterator fds("/proc/" + std::to_string(pid) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(fds), end(fds)));
}

void replace_in_config(const Daemon& daemon, const std::string& from, const std::string& to) {
    std::string text = read_file(daemon.config_file());
    const std::size_t at = text.find(from);
    BOOST_TEST_REQUIRE(at != std::string::npos);
    daemon.dir().write("config.yaml", text.replace(at, from.size(), to), 0600);
}

}  // namespace

BOOST_AUTO_TEST_CASE(only_what_changed_gets_a_new_worker_and_the_log_lists_it) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const std::string flapping =
        "flapping: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(free_port()) +
        ", periodSeconds: 0.2, initialDelaySeconds: 0, failureThreshold: 100000}\n";
    const Daemon daemon(supervisord.url(), mem_cat("same") + mem_cat("other") + mem_cat("gone") + flapping);
    for (const std::string name : {"same", "other", "gone"})
        BOOST_TEST_REQUIRE(daemon.wait_for_state(name, healthy));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("flapping", [](const auto& c) { return c["failures"] > 3; }));
    const auto same = daemon.state("same");
    const auto other = daemon.state("other");
    const auto failures = daemon.state("flapping")["failures"].get<int>();
    const pid_t gone = daemon.child("healthcheckd: gone [");

    // In another order, which says nothing.
    daemon.set_cats(flapping + mem_cat("fresh") + mem_cat("other", ", failureThreshold: 7") +
                    mem_cat("same"));
    reload(daemon, 1);
    BOOST_TEST(daemon.wait_for_log(
        "configuration reloaded: 1 added (fresh), 1 removed (gone), 1 changed (other), 2 unchanged"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("fresh", healthy));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("other", healthy));
    BOOST_TEST(daemon.state("same")["worker"] == same["worker"]);
    BOOST_TEST(daemon.state("same")["probes"] >= same["probes"]);
    BOOST_TEST(daemon.state("flapping")["failures"] >= failures);
    BOOST_TEST(daemon.state("other")["worker"]["pid"] != other["worker"]["pid"]);
    BOOST_TEST(daemon.state("other")["failureThreshold"] == 7);
    BOOST_TEST(daemon.state("gone").is_null());
    BOOST_TEST(wait_until([&] { return !alive(gone); }));

    // A worker that is lost after that is born by the new configuration.
    BOOST_TEST_REQUIRE(::kill(daemon.child("healthcheckd: same ["), SIGKILL) == 0);
    BOOST_TEST(daemon.wait_for_state("same", [](const auto& c) {
        return c["worker"]["spawns"] == 2 && c["lastProbe"]["verdict"] == "success";
    }));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_bad_half_written_gone_or_a_bomb_changes_nothing) {
    const Daemon daemon("unix:///nonexistent/supervisor.sock", mem_cat("cat1"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1", healthy));
    const auto before = daemon.state("cat1");
    const std::string good = read_file(daemon.config_file());
    std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    for (char c = 'b'; c < 'k'; ++c) {
        bomb += std::string(1, c) + ": &" + c + " [";
        for (int i = 0; i < 10; ++i)
            bomb += std::string(i > 0 ? ", " : "") + "*" + static_cast<char>(c - 1);
        bomb += "]\n";
    }
    std::size_t times = 0;
    for (const std::string& text :
         {good + "cat2: {program: web, periodSecond: 3}\n", good.substr(0, good.size() - 12),
          std::string("\0\0\0", 3), bomb, std::string(2'000'000, 'x')}) {
        daemon.dir().write("config.yaml", text, 0600);
        daemon.signal(SIGHUP);
        BOOST_TEST(daemon.wait_for_log("not reloaded: ", 20s, ++times));
    }
    std::filesystem::remove(daemon.config_file());
    daemon.signal(SIGHUP);
    BOOST_TEST(daemon.wait_for_log("not reloaded: ", 20s, ++times));
    BOOST_TEST(daemon.count_log("; the configuration in use goes on") == times);
    BOOST_TEST(daemon.count_log("config.yaml:8:22: error: cat2.periodSecond: unknown key") == 1u,
               daemon.log());
    BOOST_TEST(daemon.state("cat1")["worker"] == before["worker"]);
    BOOST_TEST(daemon.state("cat1")["probes"] >= before["probes"]);
    BOOST_TEST(daemon.state()["cats"].size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_running_action_ends_as_it_began_when_its_cat_changes_or_goes) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const TempDir dir;
    const auto cats = [&](const std::string& word) {
        return "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(free_port()) +
               ", periodSeconds: 0.2, initialDelaySeconds: 0, failureThreshold: 1, action: exec, execCmd: "
               "'while [ ! -e " +
               dir.file("go") + " ]; do sleep 0.1; done; echo " + word + " >> " + dir.file("done") + "'}\n";
    };
    const Daemon daemon(supervisord.url(), cats("first"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[cat1 web] exec begins"));
    daemon.set_cats(cats("second"));
    reload(daemon, 1);
    daemon.set_cats(mem_cat("other"));
    reload(daemon, 2);
    dir.write("go", "");
    BOOST_TEST(daemon.wait_for_log("[cat1 web] exec done"));
    BOOST_TEST(read_file(dir.file("done")) == "first\n");
}

BOOST_AUTO_TEST_CASE(an_action_that_ends_after_a_change_of_its_cat_is_remembered_with_the_cat) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const TempDir dir;
    const std::string cat =
        "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(free_port()) +
        ", periodSeconds: 0.2, initialDelaySeconds: 0, action: exec, execCmd: "
        "'while [ ! -e " +
        dir.file("go") + " ]; do sleep 0.1; done', failureThreshold: ";
    const Daemon daemon(supervisord.url(), cat + "1}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[cat1 web] exec begins"));
    daemon.set_cats(cat + "1000000}\n");
    reload(daemon, 1);
    dir.write("go", "");
    BOOST_TEST(daemon.wait_for_state("cat1",
                                     [](const auto& state) { return state["actions"]["last"].is_object(); }));
}

BOOST_AUTO_TEST_CASE(a_failed_cat_that_is_changed_is_still_told_to_have_recovered_and_by_the_new_mailer) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const SmtpSink sink(plain_sink());
    WatchedPort port(false);
    const auto cats = [&](int threshold) {
        return "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(port.number()) +
               ", periodSeconds: 0.2, initialDelaySeconds: 0, action: email, sendResolved: yes, "
               "failureThreshold: " +
               std::to_string(threshold) + "}\n";
    };
    const Daemon daemon(supervisord.url(), cats(2), {.config_lines = plain_mail(sink)});
    BOOST_TEST_REQUIRE(sink.wait_for_mails(1, 20s));
    replace_in_config(daemon, "failureThreshold: 2", "failureThreshold: 3");
    replace_in_config(daemon, "to_list: [", "to_list: [second@test.local, ");
    reload(daemon, 1);
    port.open();
    BOOST_TEST_REQUIRE(sink.wait_for_mails(2, 20s));
    const auto mails = read_mails(sink);
    BOOST_TEST(mails[1].is_about("recovered"));
    BOOST_TEST(mails[0].rcpt_tos.size() == 1u);
    BOOST_TEST(mails[1].rcpt_tos.size() == 2u);
    BOOST_TEST(daemon.count_log("[mailer] ended") == 0u);
}

BOOST_AUTO_TEST_CASE(a_changed_password_renews_the_link_and_what_cannot_change_is_said) {
    Supervisord supervisord({{.name = "web", .command = kSleep}}, {.user = "ops", .pass = "one"});
    const Daemon daemon(supervisord.url(), "cat1: {program: web, type: restart, periodSeconds: 0.2}\n",
                        {.config_lines = "supervisordUser: ops\nsupervisordPass: one"});
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1", [](const auto& cat) { return cat["successes"] > 0; }));
    const pid_t link = daemon.child("supervisord link");
    supervisord.down();
    supervisord.set_pass("two");
    supervisord.up();
    replace_in_config(daemon, "supervisordPass: one", "supervisordPass: two");
    replace_in_config(daemon, "stateDir: " + daemon.state_dir(), "stateDir: /srv/elsewhere");
    reload(daemon, 1);
    BOOST_TEST(daemon.wait_for_log("config.stateDir is /srv/elsewhere only from the next start on"));
    BOOST_TEST(daemon.wait_for_log("[supervisord] is back: 1 programs"));
    BOOST_TEST(wait_until([&] { return !alive(link); }));
    BOOST_TEST(std::filesystem::exists(daemon.state_dir() + "/state.json"));
}

BOOST_AUTO_TEST_CASE(a_restart_that_was_not_reported_yet_is_counted_unless_the_keys_of_its_cat_change) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const std::string cat =
        "{program: web, type: restart, periodSeconds: 4, initialDelaySeconds: 0, action: none, ";
    const Daemon daemon(supervisord.url(),
                        "same: " + cat + "failureThreshold: 5}\nother: " + cat + "failureThreshold: 6}\n",
                        {.config_lines = "logMaxBytes: 100000"});
    for (const std::string name : {"same", "other"})
        BOOST_TEST_REQUIRE(daemon.wait_for_state(name, [](const auto& c) { return c["probes"] > 0; }));
    const pid_t before = supervisord.pid("web");
    send_signal(before, SIGKILL);
    BOOST_TEST_REQUIRE(wait_until([&] {
        const pid_t now = supervisord.pid("web");
        return now > 0 && now != before;
    }));
    replace_in_config(daemon, "logMaxBytes: 100000", "logMaxBytes: 100001");
    replace_in_config(daemon, "failureThreshold: 6", "failureThreshold: 7");
    reload(daemon, 1);
    BOOST_TEST(daemon.wait_for_state("same", [](const auto& c) { return c["failures"] == 1; }), daemon.log());
    BOOST_TEST(daemon.wait_for_state("other", [](const auto& c) { return c["successes"] == 1; }),
               daemon.log());
}

// Commands of others say nothing to supervisord while they run.
BOOST_AUTO_TEST_CASE(a_long_command_does_not_keep_the_link_from_its_new_configuration) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const Daemon daemon(
        supervisord.url(),
        "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(free_port()) +
            ", periodSeconds: 0.2, initialDelaySeconds: 0, failureThreshold: 1, action: exec, "
            "execCmd: sleep 60}\n",
        {.config_lines = "supervisordOwner: root"});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[cat1 web] exec begins"));
    const pid_t link = daemon.child("supervisord link");
    BOOST_TEST_REQUIRE(link > 0);
    replace_in_config(daemon, "supervisordOwner: root", "supervisordUser: ops");
    reload(daemon, 1);
    BOOST_TEST(wait_until([&] { return !alive(link); }, 10s), daemon.log());
    BOOST_TEST(daemon.count_log("[cat1 web] exec done") == 0u);
}

BOOST_AUTO_TEST_CASE(a_new_link_does_not_keep_from_a_kill_that_an_operator_is_stopping_the_program) {
    const Supervisord supervisord(
        {{.name = "web", .command = program("ignore_term.sh"), .extra = "startsecs=0\nstopwaitsecs=20"}});
    BOOST_TEST_REQUIRE(wait_until([&] { return ignores(supervisord.pid("web"), SIGTERM); }));
    const int port = free_port();
    auto server = std::make_unique<OpenPort>(port);
    const Daemon daemon(
        supervisord.url(),
        "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(port) +
            ", periodSeconds: 2, initialDelaySeconds: 0, failureThreshold: 1, action: kill}\n",
        {.config_lines = "supervisordOwner: root"});
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1", healthy));
    const pid_t pid = supervisord.pid("web");
    Subprocess operator_stop(
        {"/usr/bin/supervisorctl", "-c", supervisord.dir().file("supervisord.conf"), "stop", "web"});
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"));
    supervisord.signal(SIGSTOP);
    server.reset();
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[cat1 web] kill begins"));
    replace_in_config(daemon, "supervisordOwner: root", "supervisordUser: ops");
    reload(daemon, 1);
    BOOST_TEST(daemon.wait_for_log("supervisord is asked by the new values when the actions"));
    std::this_thread::sleep_for(1s);
    supervisord.signal(SIGCONT);
    BOOST_TEST(daemon.wait_for_log("kill failed: web is being stopped by somebody else; not killed", 15s),
               daemon.log());
    BOOST_TEST(alive(pid));
}

BOOST_AUTO_TEST_CASE(counts_outlive_a_change_of_what_all_workers_share_and_not_one_of_the_cat) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const std::string failing =
        "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(free_port()) +
        ", periodSeconds: 0.2, initialDelaySeconds: 0";
    const Daemon daemon(supervisord.url(), failing + ", failureThreshold: 100000}\n",
                        {.config_lines = "logBackups: 3"});
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1", [](const auto& cat) { return cat["failures"] > 9; }));
    const auto before = daemon.state("cat1");
    replace_in_config(daemon, "logBackups: 3", "logBackups: 4");
    reload(daemon, 1);
    BOOST_TEST_REQUIRE(daemon.wait_for_state(
        "cat1", [&](const auto& cat) { return cat["worker"]["pid"] != before["worker"]["pid"]; }));
    const auto after = daemon.state("cat1");
    BOOST_TEST(after["failures"] >= before["failures"], after.dump());
    BOOST_TEST(after["probes"] >= before["probes"], after.dump());

    daemon.set_cats(failing + ", failureThreshold: 100001}\n");
    reload(daemon, 2);
    BOOST_TEST(daemon.wait_for_log("[cat1 web] counts start at zero: they were those of other keys"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1", [](const auto& cat) { return cat["failures"] > 0; }));
    BOOST_TEST(daemon.state("cat1")["failures"] < before["failures"]);
}

BOOST_AUTO_TEST_CASE(members_of_a_group_keep_their_workers_and_follow_a_change) {
    const Supervisord supervisord({{.name = "web",
                                    .command = kSleep,
                                    .extra = "numprocs=2\nprocess_name=%(program_name)s_%(process_num)02d"}});
    const auto group = [](int threshold) {
        return "g: {program: 'web:*', type: mem, maxMem: 5000, periodSeconds: 0.2, initialDelaySeconds: 0, "
               "failureThreshold: " +
               std::to_string(threshold) + "}\n";
    };
    const Daemon daemon(supervisord.url(), group(3));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("g/web_01", healthy));
    const pid_t worker = daemon.child("healthcheckd: g/web_01 [");
    daemon.set_cats(group(3) + mem_cat("more"));
    reload(daemon, 1);
    BOOST_TEST(daemon.child("healthcheckd: g/web_01 [") == worker);
    daemon.set_cats(group(4));
    reload(daemon, 2);
    BOOST_TEST(daemon.wait_for_state(
        "g/web_01", [&](const auto& cat) { return healthy(cat) && cat["failureThreshold"] == 4; }));
    BOOST_TEST(daemon.child("healthcheckd: g/web_01 [") != worker);
    daemon.set_cats(mem_cat("more"));
    reload(daemon, 3);
    BOOST_TEST(daemon.state()["cats"].size() == 1u);
}

BOOST_AUTO_TEST_CASE(serial_two_hundred_reloads_lose_no_worker_no_descriptor_and_no_tick) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    std::string kept;
    for (int i = 0; i < 30; ++i)
        kept += mem_cat("kept" + std::to_string(i));
    const auto with = [&](int round) {
        return kept + mem_cat("changing", ", failureThreshold: " + std::to_string(round + 1)) +
               (round % 2 == 0 ? mem_cat("coming") : "");
    };
    const Daemon daemon(supervisord.url(), with(0));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("kept29", healthy));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("coming", healthy));
    std::set<pid_t> workers;
    const nlohmann::json before = daemon.state();
    for (const auto& cat : before.at("cats"))
        if (cat["name"].get<std::string>().starts_with("kept"))
            workers.insert(cat["worker"]["pid"].get<pid_t>());
    BOOST_TEST_REQUIRE(workers.size() == 30u);
    // The least of some looks: a child that writes the state may be there for a moment.
    std::size_t processes = daemon.children().size(), descriptors = open_descriptors(daemon.pid());
    for (int look = 0; look < 20; ++look) {
        std::this_thread::sleep_for(50ms);
        processes = std::min(processes, daemon.children().size());
        descriptors = std::min(descriptors, open_descriptors(daemon.pid()));
    }
    const auto first = daemon.state("kept7");
    const auto began = std::chrono::steady_clock::now();
    for (int round = 1; round <= 200; ++round) {
        daemon.set_cats(with(round));
        reload(daemon, static_cast<std::size_t>(round));
    }
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
    const auto last = daemon.state("kept7");
    const double ticks = passed.count() / 0.2;
    // A slow machine has its cores busy with the reloads.
    const double may_be_skipped = slower() > 1 ? ticks / 10 : 0;
    std::set<pid_t> workers_after;
    const nlohmann::json after = daemon.state();
    for (const auto& cat : after.at("cats"))
        if (cat["name"].get<std::string>().starts_with("kept")) {
            workers_after.insert(cat["worker"]["pid"].get<pid_t>());
            BOOST_TEST(cat["worker"]["spawns"] == 1);
            BOOST_TEST(cat["skippedTicks"].get<double>() <= may_be_skipped);
        }
    BOOST_TEST(workers_after == workers, boost::test_tools::per_element());
    // The two looks may fall on either side of a tick.
    BOOST_TEST(last["probes"].get<double>() - first["probes"].get<double>() >= ticks - 3 - may_be_skipped);
    BOOST_TEST(wait_until([&] { return daemon.children().size() == processes; }));
    BOOST_TEST(wait_until([&] { return open_descriptors(daemon.pid()) == descriptors; }),
               open_descriptors(daemon.pid()) << " descriptors, " << descriptors << " before");
}

BOOST_AUTO_TEST_SUITE_END()
