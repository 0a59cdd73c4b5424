// What HACKING.md says of additions: healthcheckd with one more of each kind (t/sample) does all that it does with those
// of its own.
#include "t/fixture/daemon/control_client.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/raw_server.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_sample)

namespace {

std::string sample_binary(const std::string& name) {
    const std::string own = healthcheckd_binary();
    return own.substr(0, own.rfind('/')) + "/sample/" + name;
}

std::string find(const std::string& all, const std::string& part) {
    return all.find(part) == std::string::npos ? "no '" + part + "' in:\n" + all : "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_more_check_action_channel_and_command_work_by_one_file_and_one_row_each) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    TempDir dir;
    const std::string told = dir.file("told");
    const RawServer server([&](int connection) {
        const std::string heard = hear_all(connection);
        dir.write("told", heard);
    });
    const std::string file = dir.write("trouble", "");
    Daemon daemon(
        supervisord.url(),
        "cat1: {program: web, type: sample, sampleFile: " + file +
            ", sampleWord: hello, action: 'sample,sample-line', periodSeconds: 0.2, "
            "initialDelaySeconds: 0, sendResolved: true}\n",
        {.config_lines = "sample: {port: " + std::to_string(server.port()) + "}",
         .wrapper = {"/bin/sh", "-c", "shift; exec " + sample_binary("healthcheckd") + " \"$@\"", "sh"}});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("sample done: said hello", 20s), daemon.log());
    BOOST_TEST(
        wait_until([&] { return std::filesystem::exists(told) && find(read_file(told), "web") == ""; }));
    const CommandResult asked =
        run_command({sample_binary("healthcheckctl"), "-s", daemon.socket(), "sample"});
    BOOST_TEST(asked.status == 0);
    BOOST_TEST(asked.output == "1 cats\n");
    const CommandResult shown =
        run_command({sample_binary("healthcheckd"), "-T", "-c", daemon.config_file()});
    for (const std::string& part :
         std::vector<std::string>{"type: sample", "sampleFile: " + file, "sampleWord: hello",
                                  "action: sample,sample-line", "port: " + std::to_string(server.port())})
        BOOST_TEST(find(shown.output, part) == "");
    std::filesystem::remove(file);
    BOOST_TEST(daemon.wait_for_log("failed -> healthy"), daemon.log());
}

BOOST_AUTO_TEST_CASE(an_unknown_type_names_every_one_that_there_is) {
    TempDir dir;
    const std::string config = dir.write("config.yaml", "cat1: {program: web, type: sampel, action: none}\n");
    const CommandResult refused = run_command({sample_binary("healthcheckd"), "-t", "-c", config});
    BOOST_TEST(refused.status != 0);
    BOOST_TEST(
        find(refused.output, "known are http, tcp, mem, cpu, restart, sample; did you mean 'sample'?") == "");
}

BOOST_AUTO_TEST_SUITE_END()
