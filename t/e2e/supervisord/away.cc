// supervisord away in every way: known processes go on being checked, what needs it fails clearly in log and
// mail, and all goes on by itself within 5 s of its return.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/supervisord/fake_supervisord.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_supervisord_away)

namespace {

const SupervisedProgram kWeb{
    .name = "web", .command = "/bin/sleep 1000", .extra = "autorestart=true", .tied = false};

// A mail's text with the lines that quoted-printable broke in one piece again.
std::string unbroken(std::string mail) {
    for (std::size_t at = 0; (at = mail.find("=\r\n", at)) != std::string::npos;)
        mail.erase(at, 3);
    return mail;
}

// Program web and three cats of it: "known" measures the process that supervisord has told of, "own" one of a
// pid file, which is how a failure comes to order whatever supervisord does, and "count" counts restarts.
class World {
public:
    explicit World(Supervisord& supervisord, const std::string& url = {}, const std::string& config = {})
        : supervisord_(supervisord),
          daemon_(url.empty() ? supervisord.url() : url, cats(), {.config_lines = mail_section() + config}) {
        BOOST_TEST_REQUIRE(wait_until([&] { return read_file(big_.output_file).find("ready") == 0; }));
        BOOST_TEST_REQUIRE(is_well("own"));
        BOOST_TEST_REQUIRE(is_well("known"));
    }

    // To be called while supervisord is away. `web_lives`: its programs are still there.
    void expect_checks_to_go_on_and_a_restart_to_fail(const std::string& why, bool web_lives) {
        for (const char* cat : {"own", "known"}) {
            if (!web_lives && std::string(cat) == "known")
                continue;
            const int probes = daemon_.state(cat)["probes"].get<int>();
            BOOST_TEST(daemon_.wait_for_state(cat,
                                              [&](const auto& state) {
                                                  return state["probes"] > probes + 5 &&
                                                         state["state"] == "healthy";
                                              }),
                       cat);
        }
        const std::size_t mails = sink_.mails().size();
        set_own(big_.process.pid());
        const std::regex failed(R"(\[own web\] restart failed: .*)" + why + ".*nothing done");
        BOOST_TEST_REQUIRE(wait_until([&] { return matches(failed) > failures_told_; }, 20s), daemon_.log());
        failures_told_ = matches(failed);
        BOOST_TEST(
            wait_until([&] { return mail_says(mails, "FAILED: ") && mail_says(mails, "nothing done"); }, 20s),
            "no mail says that the restart failed");
    }

    // To be called just after its return.
    void expect_all_to_go_on(bool was_unreachable = true) {
        const auto begin = std::chrono::steady_clock::now();
        const std::size_t done = daemon_.count_log("[own web] restart done");
        if (was_unreachable) {
            ++returns_;
            BOOST_TEST(daemon_.wait_for_log("[supervisord] is back", 5s, returns_));
        }
        BOOST_TEST(daemon_.wait_for_log("[own web] restart done", 5s, done + 1));
        const auto took = std::chrono::steady_clock::now() - begin;
        BOOST_TEST_MESSAGE("went on after "
                           << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
        set_own(small_.pid());
        BOOST_TEST(is_well("own"));
        // A restart of before may still be under way.
        BOOST_TEST(wait_until([&] { return daemon_.child("healthcheckd: action") == 0; }));
        BOOST_TEST(wait_until([&] { return supervisord_.state("web") == "RUNNING"; }));
        BOOST_TEST(is_well("known"));
        const std::size_t counted = daemon_.count_log("[count web] exec begins");
        send_signal(supervisord_.running_pid("web"), SIGKILL);
        BOOST_TEST(daemon_.wait_for_log("[count web] exec begins", 5s, counted + 1));
        BOOST_TEST(is_well("known"));
    }

    // Waits until the loss has been noticed by the master itself.
    void expect_loss_noticed(std::chrono::milliseconds limit) const {
        BOOST_TEST(daemon_.wait_for_log("programs that were known go on being probed", limit, returns_ + 1));
    }
    Daemon& daemon() { return daemon_; }
    void fail_own() const { set_own(big_.process.pid()); }

private:
    // About 10 MB, above the limit of "own".
    struct Big {
        TempDir dir;
        std::string output_file = dir.file("out");
        Subprocess process{{program("listen.py"), "127.0.0.1", std::to_string(free_port())},
                           Subprocess::Options{.env = {}, .output = output_file}};
    };

    std::string cats() const {
        set_own(small_.pid());
        return "known: {program: web, type: mem, periodSeconds: 0.3, initialDelaySeconds: 0.1, action: "
               "email}\n"
               "own: {program: web, type: mem, maxMem: 5, periodSeconds: 0.3, initialDelaySeconds: 0.1, "
               "failureThreshold: 2, action: 'restart,email', pidGet: file, pidFile: " +
               dir_.file("own.pid") +
               "}\n"
               "count: {program: web, type: restart, periodSeconds: 0.3, failureThreshold: 1, action: exec, "
               "execCmd: 'true'}\n";
    }
    std::string mail_section() const {
        return "mail: {host: localhost, port: " + std::to_string(sink_.port()) +
               ", user: " + sink_.options().user + ", pass: '" + sink_.options().password +
               "', to_list: [ops@test.local], caFile: " + sink_.ca_file() + "}\n";
    }
    void set_own(pid_t pid) const {
        dir_.write("new.pid", std::to_string(pid) + "\n");
        std::filesystem::rename(dir_.file("new.pid"), dir_.file("own.pid"));
    }
    bool is_well(const std::string& cat) const {
        return daemon_.wait_for_state(cat, [&](const auto& state) {
            return state["state"] == "healthy" && (cat != "known" || state["pid"] == supervisord_.pid("web"));
        });
    }
    std::size_t matches(const std::regex& pattern) const {
        const std::string log = daemon_.log();
        return static_cast<std::size_t>(
            std::distance(std::sregex_iterator(log.begin(), log.end(), pattern), std::sregex_iterator()));
    }
    bool mail_says(std::size_t from, const std::string& text) const {
        const auto mails = sink_.mails();
        for (std::size_t i = from; i < mails.size(); ++i)
            if (unbroken(mails[i]).find(text) != std::string::npos)
                return true;
        return false;
    }

    Supervisord& supervisord_;
    TempDir dir_;
    Subprocess small_{{"/bin/sleep", "1000"}};
    Big big_;
    SmtpSink sink_;
    Daemon daemon_;
    std::size_t failures_told_ = 0;
    std::size_t returns_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(while_supervisord_is_down_checks_go_on_and_all_is_well_within_5_s_of_its_return) {
    Supervisord supervisord({kWeb});
    World world(supervisord);
    supervisord.down();
    world.expect_loss_noticed(5s);
    world.expect_checks_to_go_on_and_a_restart_to_fail("cannot be reached", false);
    supervisord.up();
    world.expect_all_to_go_on();
}

BOOST_AUTO_TEST_CASE(a_supervisord_that_is_killed_and_leaves_its_programs_is_missed_at_once) {
    Supervisord supervisord({kWeb});
    World world(supervisord);
    supervisord.crash();
    world.expect_loss_noticed(5s);
    world.expect_checks_to_go_on_and_a_restart_to_fail("cannot be reached", true);
    supervisord.up();
    world.expect_all_to_go_on();
}

BOOST_AUTO_TEST_CASE(while_supervisord_is_frozen_checks_go_on_and_all_is_well_within_5_s_of_its_thaw) {
    Supervisord supervisord({kWeb});
    World world(supervisord);
    supervisord.signal(SIGSTOP);
    world.expect_checks_to_go_on_and_a_restart_to_fail("did not answer", true);
    world.expect_loss_noticed(20s);
    supervisord.signal(SIGCONT);
    world.expect_all_to_go_on();
}

BOOST_AUTO_TEST_CASE(a_supervisord_that_is_restarted_at_once_is_followed_within_5_s) {
    Supervisord supervisord({kWeb});
    World world(supervisord);
    world.fail_own();
    supervisord.restart();
    // Whether the master noticed its absence is a matter of milliseconds.
    world.expect_all_to_go_on(false);
}

BOOST_AUTO_TEST_CASE(a_program_that_update_removes_and_adds_again_is_followed_within_5_s) {
    Supervisord supervisord({kWeb});
    World world(supervisord);
    supervisord.set_programs({{.name = "other", .command = "/bin/sleep 1000"}});
    BOOST_TEST(supervisord.ctl({"update"}).status == 0);
    world.expect_checks_to_go_on_and_a_restart_to_fail("supervisord has no program 'web'", false);
    BOOST_TEST(world.daemon().wait_for_state("known", [](const auto& state) {
        return state["state"] == "unknown" && state["programState"] == "";
    }));
    supervisord.set_programs({kWeb});
    BOOST_TEST(supervisord.ctl({"update"}).status == 0);
    world.expect_all_to_go_on(false);
}

BOOST_AUTO_TEST_CASE(
    a_password_that_is_wrong_for_a_while_is_said_and_all_is_well_within_5_s_of_the_right_one) {
    Supervisord supervisord({kWeb}, {.user = "ops", .pass = "right-one"});
    World world(supervisord, {}, "supervisordUser: ops\nsupervisordPass: right-one\n");
    supervisord.crash();
    supervisord.set_pass("other-one");
    supervisord.up();
    BOOST_TEST(world.daemon().wait_for_log("supervisordPass"));
    world.expect_checks_to_go_on_and_a_restart_to_fail("supervisordPass", true);
    supervisord.crash();
    supervisord.set_pass("right-one");
    supervisord.up();
    world.expect_all_to_go_on();
}

BOOST_AUTO_TEST_CASE(while_answers_are_huge_or_broken_checks_go_on_and_all_is_well_within_5_s_of_good_ones) {
    Supervisord supervisord({kWeb});
    const FakeSupervisord fake("real", supervisord.socket_path());
    World world(supervisord, fake.url());
    for (const char* mode : {"huge", "cut", "html", "error", "garbage"})
        BOOST_TEST_CONTEXT(mode) {
            fake.set_mode(mode);
            world.expect_checks_to_go_on_and_a_restart_to_fail("", true);
            world.expect_loss_noticed(10s);
            fake.set_mode("real");
            world.expect_all_to_go_on();
        }
}

BOOST_AUTO_TEST_SUITE_END()
