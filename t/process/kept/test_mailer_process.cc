// The mailer as the master's child: watched for silence, left alone while it is well.
#include "common/log/log.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_mailer.h"
#include "master/mailer/mailer.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <set>
#include <thread>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(test_mailer_process)

namespace {

// Pids of this process's children, now.
std::set<pid_t> children() {
    std::ifstream list("/proc/thread-self/children");
    return {std::istream_iterator<pid_t>(list), std::istream_iterator<pid_t>()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_mailer_that_has_nothing_to_do_is_not_taken_for_one_that_hangs) {
    const TempDir dir;
    auto config = std::make_shared<Config>();
    config->state_dir = dir.file("state");
    auto& mail = add_mail(*config);
    mail.hosts = {"mail.test"};
    mail.tls = MailTls::none;
    Loop loop;
    Spawner spawner(loop);
    LayerNotes layers;
    Mailer mailer(loop, spawner, layers, config, "life", [](const std::string&) {},
                  {.look = 100ms, .silence = 1500ms});
    mailer.start();
    const std::set<pid_t> first = children();
    BOOST_TEST(first.size() == 1u);
    Timer end(loop, [&] { loop.stop(); });
    end.start(4s);
    loop.run();
    BOOST_TEST(children() == first, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_mailer_that_is_taken_over_floods_no_log_and_writes_under_no_cats_name) {
    const TempDir dir;
    const auto hostile = [](pid_t) {
        const auto say = [](const auto& message) {
            (void)write_line(kReportFd, encode(message).line());
        };
        say(Ready{"landlock,made-up"});
        for (int i = 0; i < 3000; ++i)
            say(Say{"error", i % 2 == 0 ? "cat1 web" : "mail", "something evil"});
        say(StillFailed{"cat1"});
        std::this_thread::sleep_for(1100ms);
        say(Say{"error", "cat1 web", "the second second"});
        say(Ready{"landlock,made-up-too"});
        return ::pause();
    };
    // In a process of its own, as the log is one for each.
    Subprocess master(
        [&]() -> int {
            log::start(STDERR_FILENO, log::Level::info);
            auto config = std::make_shared<Config>();
            config->state_dir = dir.file("state");
            add_mail(*config);
            Loop loop;
            Spawner spawner(loop);
            LayerNotes layers;
            Mailer mailer(loop, spawner, layers, config, "life", [](const std::string&) {},
                          {.main = hostile});
            mailer.start();
            Timer end(loop, [&] { loop.stop(); });
            end.start(2s);
            loop.run();
            log::finish(1s);
            return 0;
        },
        {.env = {}, .output = dir.file("log"), .uid = 0});
    BOOST_TEST(master.wait(20s) == 0);
    const std::string log = master.output();
    const auto count = [&](std::string_view text) {
        std::size_t n = 0;
        for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1))
            ++n;
        return n;
    };
    // All within one second, or two.
    BOOST_TEST(count("something evil") >= 200);
    BOOST_TEST(count("something evil") <= 400);
    BOOST_TEST(count("cat1") == 0);
    BOOST_TEST(count("the second second") == 1);
    BOOST_TEST(count("more lines than a log may get of it in a second") == 1, log.substr(0, 2000));
    BOOST_TEST(count("made-up") == 0);
    BOOST_TEST(count("not available on this system: landlock") == 1);
    BOOST_TEST(count("is replaced: it said twice that it is ready") >= 1);
}

BOOST_AUTO_TEST_SUITE_END()
