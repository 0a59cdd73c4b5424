// What becomes of notices when the mail server is away, broken or slow, when healthcheckd is restarted
// meanwhile, and when there is no room for them.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>
#include <memory>
#include <sched.h>
#include <set>
#include <sys/mount.h>
#include <unistd.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_spool)

namespace {

// Each failure writes a notice, which several of them must not do faster than a slow machine can.
std::string tcp_cat(const std::string& name, int port, const std::string& more) {
    return name + ": {program: web, type: tcp, host: 127.0.0.1, initialDelaySeconds: 0, periodSeconds: " +
           std::to_string(0.2 * slower()) + ", failureThreshold: 1, port: " + std::to_string(port) + ", " +
           more + "}\n";
}

// The Message-ID of the message that is in the spool; "" when there is none.
std::string spooled_id(const std::string& state_dir) {
    const auto messages = spooled(state_dir, ".message");
    if (messages.empty())
        return "";
    const std::string text =
        nlohmann::json::parse(read_file(state_dir + "/spool/" + messages.front())).at("text");
    const std::size_t at = text.find("Message-ID: ") + 12;
    return text.substr(at, text.find("\r\n", at) - at);
}

bool spool_is_empty(const std::string& state_dir) {
    return spooled(state_dir, ".message").empty() && spooled(state_dir, ".notice").empty() &&
           spooled(state_dir, ".pending").empty();
}

// One mail server with one trouble, one watched port, and healthcheckd in two lives between them.
class Site {
public:
    Site(const Supervisord& supervisord, std::string phase, std::string deed)
        : phase_(std::move(phase)), deed_(std::move(deed)), supervisord_(supervisord), sink_(plain_sink()) {
        if (phase_ == "down")
            sink_.stop();
        else
            sink_.fail(phase_, deed_);
        begin_life();
    }
    std::string name() const { return phase_ + ' ' + deed_; }
    bool hangs() const { return deed_ == "hang"; }

    // The failure is put into a message, the recovery waits behind it.
    void see_failure_and_recovery() {
        BOOST_TEST_REQUIRE(daemon_->wait_for_log("-> failed: failure 1 of 1", 40s), name());
        if (!hangs())
            BOOST_TEST_REQUIRE(daemon_->wait_for_log("[mail] not sent yet: "), name());
        BOOST_TEST_REQUIRE(wait_until([&] { return !(id_ = spooled_id(state_.path())).empty(); }), name());
        port_.open();
        BOOST_TEST_REQUIRE(daemon_->wait_for_log("-> healthy"), name());
        BOOST_TEST_REQUIRE(wait_until([&] { return !spooled(state_.path(), ".notice").empty(); }), name());
    }
    void restart_healthcheckd() {
        const Daemon::Stopped end = daemon_->stop();
        BOOST_TEST(end.status == 0, name());
        BOOST_TEST((end.took <= 3s * slower()), name() << " took " << end.took.count() << " ms to stop");
        daemon_.reset();
        begin_life();
        if (!hangs())
            BOOST_TEST_REQUIRE(daemon_->wait_for_log("[mail] not sent yet: "), name());
        else
            BOOST_TEST_REQUIRE(daemon_->wait_for_state(
                                   "cat4", [](const auto& cat) { return cat["state"] == "healthy"; }, 40s),
                               name());
    }
    void mend() {
        if (phase_ == "down")
            sink_.start();
        else
            sink_.mend();
    }
    void expect_both_in_order(bool may_repeat_the_first) {
        BOOST_TEST(
            wait_until([&] { return sink_.mail_files().size() >= 2 && spool_is_empty(state_.path()); }, 70s),
            name());
        std::vector<ReadMail> mails = read_mails(sink_);
        if (may_repeat_the_first)
            while (mails.size() > 2 && mails[0].id == mails[1].id)
                mails.erase(mails.begin());
        BOOST_TEST_REQUIRE(mails.size() == 2U, name() << ": " << mails.size() << " mails");
        BOOST_TEST(mails[0].is_about("web tcp check failed"), name() << ": " << mails[0].subject);
        BOOST_TEST(mails[1].is_about("web tcp check recovered"), name() << ": " << mails[1].subject);
        BOOST_TEST(mails[0].id == id_, name());
        BOOST_TEST(mails[1].id != id_, name());
        BOOST_TEST(std::filesystem::is_empty(state_.file("dead")), name());
    }

private:
    void begin_life() {
        daemon_ = std::make_unique<Daemon>(
            supervisord_.url(), tcp_cat("cat4", port_.number(), "action: email, sendResolved: yes"),
            DaemonOptions{.config_lines = plain_mail(sink_), .state_dir = state_.path()});
    }

    const std::string phase_, deed_;
    const Supervisord& supervisord_;
    SmtpSink sink_;
    TempDir state_;
    WatchedPort port_{false};
    std::unique_ptr<Daemon> daemon_;
    std::string id_;
};

// All at once: most of the time is waiting.
void expect_each_event_once(const std::vector<std::pair<std::string, std::string>>& troubles,
                            bool may_repeat_the_first = false) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    std::vector<std::unique_ptr<Site>> sites;
    for (const auto& [phase, deed] : troubles)
        sites.push_back(std::make_unique<Site>(supervisord, phase, deed));
    for (const auto& site : sites)
        site->see_failure_and_recovery();
    for (const auto& site : sites)
        site->restart_healthcheckd();
    for (const auto& site : sites)
        site->mend();
    for (const auto& site : sites)
        site->expect_both_in_order(may_repeat_the_first);
}

void fill(const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    const std::string block(512, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush())
        ;
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_event_arrives_once_and_in_order_after_an_outage_and_a_restart) {
    expect_each_event_once({{"down", ""},
                            {"greeting", "421 4.3.2 closing"},
                            {"mail", "421 4.3.2 closing"},
                            {"mail", "451 4.3.0 later"},
                            {"rcpt", "451 4.3.0 later"},
                            {"message", "451 4.3.0 later"},
                            {"data", "close"}});
}

BOOST_AUTO_TEST_CASE(each_event_arrives_once_and_in_order_after_a_hang_in_any_phase_and_a_restart) {
    expect_each_event_once({{"connect", "hang"},
                            {"greeting", "hang"},
                            {"ehlo", "hang"},
                            {"mail", "hang"},
                            {"rcpt", "hang"},
                            {"data", "hang"},
                            {"message", "hang"}});
}

BOOST_AUTO_TEST_CASE(a_connection_cut_after_the_text_may_repeat_the_same_message_but_loses_none) {
    expect_each_event_once({{"message", "close"}}, true);
}

BOOST_AUTO_TEST_CASE(who_is_refused_for_good_costs_the_others_nothing_and_is_kept_with_the_reason) {
    SmtpSink sink(plain_sink());
    sink.fail("rcpt:gone@test.local", "550 5.1.1 no such user");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const WatchedPort port(false);
    const Daemon daemon(
        supervisord.url(), tcp_cat("cat4", port.number(), "action: email"),
        {.config_lines = plain_mail(sink, ", to_list: [ops@test.local, gone@test.local, boss@test.local]")});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[mail] given up: "));
    BOOST_TEST_REQUIRE(wait_until([&] { return spool_is_empty(daemon.state_dir()); }));
    const std::vector<ReadMail> mails = read_mails(sink);
    BOOST_TEST_REQUIRE(mails.size() == 1U);
    BOOST_TEST((mails[0].rcpt_tos == std::vector<std::string>{"ops@test.local", "boss@test.local"}));

    std::vector<std::filesystem::path> dead;
    for (const auto& entry : std::filesystem::directory_iterator(daemon.state_dir() + "/dead"))
        dead.push_back(entry.path());
    BOOST_TEST_REQUIRE(dead.size() == 1U);
    const std::string text = read_file(dead[0]);
    BOOST_TEST(text.starts_with("X-Healthcheckd-Reason: gone@test.local: 550 5.1.1 no such user\r\n"
                                "X-Healthcheckd-Recipient: gone@test.local\r\n"),
               text);
    BOOST_TEST(text.ends_with(sink.mails()[0]), text);
    const std::string log = daemon.log();
    for (const std::string& part : {std::string(" to gone@test.local: "), dead[0].string()})
        BOOST_TEST(log.find(part) != std::string::npos, part);
    BOOST_TEST(daemon.wait_for_mail_counts(1, 1));
}

BOOST_AUTO_TEST_CASE(a_server_that_never_answers_delays_neither_probes_nor_commands_nor_the_end) {
    SmtpSink sink(plain_sink());
    sink.fail("connect", "hang");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const WatchedPort closed(false), open(true);
    Daemon daemon(supervisord.url(),
                  tcp_cat("bad", closed.number(), "action: 'exec,email', execCmd: 'date +ran=%s.%N'") +
                      tcp_cat("good", open.number(), "action: email"),
                  {.config_lines = plain_mail(sink, ", reminderSeconds: 0")});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[bad web] output: ran="));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("good", [](const auto& cat) { return cat["probes"] >= 1; }));
    const auto probes = [&](const char* cat) {
        return daemon.state(cat)["probes"].get<int>();
    };
    using Clock = std::chrono::steady_clock;
    const int good = probes("good"), bad = probes("bad");
    const std::size_t runs = daemon.count_log("[bad web] output: ran=");
    const auto begin = Clock::now();
    // 10 s by the clock of the cats themselves: 50 probes each.
    BOOST_TEST(wait_until([&] { return daemon.count_log("[bad web] output: ran=") >= runs + 40; }, 30s));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    BOOST_TEST((took < 14s * slower()), "40 commands took " << took.count() << " ms");
    const auto expected = static_cast<int>(took / 200ms);
    BOOST_TEST(probes("good") - good >= expected * 8 / 10 / slower());
    BOOST_TEST(probes("bad") - bad >= expected * 8 / 10 / slower());
    BOOST_TEST(sink.mail_files().empty());
    const Daemon::Stopped end = daemon.stop();
    BOOST_TEST(end.status == 0);
    BOOST_TEST((end.took <= 3s * slower()));
}

BOOST_AUTO_TEST_CASE(on_a_full_disk_the_action_is_done_the_loss_is_logged_and_told_with_the_next_mail) {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        skip("needs root and a mount namespace of its own");
    const TempDir disk;
    if (::mount("tmpfs", disk.path().c_str(), "tmpfs", 0, "size=64k,mode=0755") != 0)
        skip("no tmpfs can be mounted here");
    const SmtpSink sink(plain_sink());
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    WatchedPort port(true);
    // So many that there is time to look and to make room before it is healthy again.
    const std::string more = ", sendResolved: yes, successThreshold: 20";
    const Daemon daemon(
        supervisord.url(),
        tcp_cat("cmd", port.number(), "action: 'exec,email', execCmd: 'echo I did run'" + more) +
            tcp_cat("mail", port.number(), "action: email" + more),
        {.config_lines = plain_mail(sink), .state_dir = disk.path()});
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cmd", [](const auto& cat) { return cat["probes"] > 1; }));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("mail", [](const auto& cat) { return cat["probes"] > 1; }));
    BOOST_TEST_REQUIRE(wait_until([&] { return std::filesystem::exists(disk.file("spool")); }));
    fill(disk.file("filler"));

    port.close();
    for (const char* cat : {"cmd", "mail"})
        BOOST_TEST(daemon.wait_for_log('[' + std::string(cat) +
                                       " web] the notice of it is lost, nobody will be told: "));
    BOOST_TEST(daemon.log().find("No space left on device") != std::string::npos);
    BOOST_TEST(daemon.wait_for_log("[cmd web] output: I did run"));

    // There is room for the notices of the recovery, but of what nobody was told it is no news.
    port.open();
    const auto log_of = [&] {
        return daemon.cat_log("mail");
    };
    const std::size_t size = log_of().size();
    BOOST_TEST_REQUIRE(wait_until([&] { return log_of().find("success", size) != std::string::npos; }));
    // The last action may still be about to tell. One that meets another one tells nothing.
    for (const std::string cat : {"[cmd web] ", "[mail web] "})
        BOOST_TEST_REQUIRE(wait_until([&] {
            return daemon.count_log(cat + "the notice of it is lost") +
                       daemon.count_log(cat + "exec dropped: ") ==
                   daemon.count_log(cat + "healthy -> failed") + daemon.count_log(cat + "failed -> failed");
        }));
    std::filesystem::remove(disk.file("filler"));
    for (const char* cat : {"cmd", "mail"})
        BOOST_TEST(daemon.wait_for_log('[' + std::string(cat) + " web] failed -> healthy"));
    port.close();
    const auto told = [&](const std::string& cat) {  // in one mail or in two
        return std::ranges::any_of(sink.mails(),
                                   [&](const std::string& mail) { return has(mail, "Cat         " + cat); });
    };
    BOOST_TEST_REQUIRE(wait_until([&] { return told("cmd") && told("mail"); }, 20s));
    const std::vector<ReadMail> mails = read_mails(sink);
    BOOST_TEST(mails[0].says("notices were lost"), mails[0].body);
    for (const ReadMail& mail : mails)
        BOOST_TEST((mail.is_about("failed") && !mail.says("recovered")), mail.subject << '\n' << mail.body);
    // Each failure that goes on puts a notice there for a moment.
    port.open();
    BOOST_TEST(wait_until([&] { return spool_is_empty(disk.path()); }));
}

BOOST_AUTO_TEST_CASE(what_a_crash_left_half_written_does_not_fill_the_spool_for_good) {
    const SmtpSink sink(plain_sink());
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const TempDir state;
    std::filesystem::create_directory(state.file("spool"));
    const std::string old = state.write("spool/.1.0.notice.new", "{");
    const std::string fresh = state.write("spool/.2.0.notice.new", "{");
    std::filesystem::last_write_time(old, std::filesystem::file_time_type::clock::now() - 2h);
    const WatchedPort port(false);
    const Daemon daemon(supervisord.url(), tcp_cat("cat4", port.number(), "action: email"),
                        {.config_lines = plain_mail(sink), .state_dir = state.path()});
    BOOST_TEST(wait_until([&] { return !std::filesystem::exists(old); }));
    BOOST_TEST(sink.wait_for_mails(1, 20s));
    BOOST_TEST(std::filesystem::exists(fresh));
}

BOOST_AUTO_TEST_CASE(what_failed_before_a_restart_is_told_to_have_recovered_after_it) {
    SmtpSink sink(plain_sink());
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const TempDir state;
    WatchedPort told(false), first(true), behind(true), never(true);
    const std::string more = "action: email, sendResolved: yes";
    const std::string cats = tcp_cat("told", told.number(), more) + tcp_cat("first", first.number(), more) +
                             tcp_cat("behind", behind.number(), more) +
                             tcp_cat("never", never.number(), more);
    const DaemonOptions options{.config_lines = plain_mail(sink), .state_dir = state.path()};
    {
        Daemon daemon(supervisord.url(), cats, options);
        BOOST_TEST_REQUIRE(sink.wait_for_mails(1, 40s));
        sink.stop();
        first.close();
        BOOST_TEST_REQUIRE(daemon.wait_for_log("[mail] not sent yet: "));
        behind.close();
        // Not just any notice: repeats of the others come and go.
        BOOST_TEST_REQUIRE(wait_until([&] {
            return std::ranges::any_of(spooled(state.path(), ".notice"), [&](const std::string& name) {
                return read_file(state.file("spool/" + name)).find("\"behind\"") != std::string::npos;
            });
        }));
        BOOST_TEST(daemon.stop().status == 0);
    }
    for (WatchedPort* port : {&told, &first, &behind})
        port->open();
    const Daemon daemon(supervisord.url(), cats, options);
    for (const char* cat : {"told", "first", "behind"})
        BOOST_TEST(daemon.wait_for_log(
            std::regex("\\[" + std::string(cat) + " web\\] .*failed before healthcheckd was started")));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("never", [](const auto& cat) { return cat["probes"] >= 5; }));
    sink.start();
    const auto all_told = [&] {
        std::string text;
        for (const ReadMail& mail : read_mails(sink))
            text += mail.body;
        return std::ranges::all_of(std::array{"told", "first", "behind"}, [&](const std::string& cat) {
            return text.find("check " + cat + " recovered") != std::string::npos;
        });
    };
    BOOST_TEST(wait_until([&] { return spool_is_empty(state.path()) && all_told(); }, 40s));
    std::set<std::string> failed;
    for (const ReadMail& mail : read_mails(sink)) {
        BOOST_TEST(!mail.says("check never"));
        for (const char* cat : {"told", "first", "behind"}) {
            if (mail.says(std::string("check ") + cat + " failed"))
                failed.insert(cat);
            if (mail.says(std::string("check ") + cat + " recovered"))
                BOOST_TEST(failed.contains(cat), cat);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
