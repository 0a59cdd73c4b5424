// The mailer as the master's child: watched for silence, left alone while it is well.
#include "common/log.h"
#include "master/mailer_process.h"
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <set>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace healthcheckd::master;

namespace {

// Pids of this process's children, now.
std::set<pid_t> children() {
    std::ifstream list("/proc/thread-self/children");
    return {std::istream_iterator<pid_t>(list), std::istream_iterator<pid_t>()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_mailer_process)

BOOST_AUTO_TEST_CASE(a_mailer_that_has_nothing_to_do_is_not_taken_for_one_that_hangs) {
    const TempDir dir;
    auto config = std::make_shared<Config>();
    config->state_dir = dir.file("state");
    config->mail.emplace();
    config->mail->hosts = {"mail.test"};
    config->mail->tls = MailTls::none;
    Loop loop;
    Spawner spawner(loop);
    LayerNotes layers;
    MailerProcess mailer(loop, spawner, layers, config, "life", [](const std::string&) {},
                         {.look = 100ms, .silence = 1500ms});
    mailer.start();
    const std::set<pid_t> first = children();
    BOOST_TEST(first.size() == 1u);
    Timer end(loop, [&] { loop.stop(); });
    end.start(4s);
    loop.run();
    BOOST_TEST(children() == first, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
