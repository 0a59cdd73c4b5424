// The supervisord link, confined, against a real supervisord.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/link_child.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
using Clock = std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(e2e_link)

namespace {

const SupervisedProgram kWeb{
    .name = "web", .command = "/bin/sleep 1000", .extra = "startsecs=3\nstopwaitsecs=7"};
const std::string kPool = "[program:pool]\ncommand=/usr/bin/setpriv --pdeathsig KILL -- /bin/sleep 1000\n"
                          "numprocs=2\nprocess_name=%(program_name)s_%(process_num)02d\nstartsecs=0\n";

const ProgramLine* find(const std::vector<ProgramLine>& programs, const std::string& name) {
    const auto found =
        std::find_if(programs.begin(), programs.end(), [&](const ProgramLine& p) { return p.name == name; });
    return found == programs.end() ? nullptr : &*found;
}

// The value of `key` in /proc/PID/status, without blanks at its ends.
std::string status_of(pid_t pid, const std::string& key) {
    std::istringstream status(read_file("/proc/" + std::to_string(pid) + "/status"));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key + ":"))
            return line.substr(line.find_first_not_of(" \t", key.size() + 1));
    return {};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_confined_link_lists_programs_and_members_by_their_full_names) {
    Supervisord supervisord({kWeb}, {.raw = kPool});
    BOOST_REQUIRE(supervisord.wait_state("pool:pool_01", "RUNNING"));
    LinkChild link(link_config(supervisord.url()));
    BOOST_TEST(link.read_line().starts_with("ready missing="));
    const auto answer = link.call("list");
    BOOST_TEST(answer.end.code == kCallOk);
    BOOST_TEST(answer.end.count == 3U);
    BOOST_TEST(answer.programs.size() == 3U);
    const ProgramLine* member = find(answer.programs, "pool:pool_01");
    BOOST_REQUIRE(member != nullptr);
    BOOST_TEST(member->state == kRunning);
    BOOST_TEST(member->pid == supervisord.pid("pool:pool_01"));
    BOOST_TEST(member->start > 1'600'000'000);
    BOOST_TEST(find(answer.programs, "web") != nullptr);
    BOOST_TEST(link.finish() == 0);
}

BOOST_AUTO_TEST_CASE(it_runs_without_any_capability) {
    Supervisord supervisord({kWeb});
    LinkChild link(link_config(supervisord.url()));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    BOOST_TEST(status_of(link.pid(), "CapEff") == "0000000000000000");
    BOOST_TEST(status_of(link.pid(), "NoNewPrivs") == "1");
#if !defined(__SANITIZE_ADDRESS__)  // whose run-time needs calls that the filter forbids
    BOOST_TEST(status_of(link.pid(), "Seccomp") == "2");
#endif
    BOOST_TEST(link.call("info", "web").end.code == kCallOk);
}

BOOST_AUTO_TEST_CASE(its_connector_becomes_the_owner_of_the_socket_and_has_no_capability) {
    Supervisord supervisord({kWeb});
    BOOST_REQUIRE(::chown(supervisord.socket_path().c_str(), 65533, 65533) == 0);
    LinkChild link(link_config(supervisord.url()));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    BOOST_TEST(link.call("info", "web").end.code == kCallOk);
    const auto children = descendants(link.pid());
    BOOST_REQUIRE(children.size() == 1u);
    const pid_t connector = children.front().pid;
    BOOST_TEST(status_of(connector, "Uid").starts_with("65533\t65533"));
    BOOST_TEST(status_of(connector, "CapEff") == "0000000000000000");
    BOOST_TEST(status_of(connector, "NoNewPrivs") == "1");
    BOOST_TEST(!status_of(link.pid(), "Uid").starts_with("65533"));
    BOOST_TEST(!status_of(link.pid(), "Uid").starts_with("0\t"));
}

BOOST_AUTO_TEST_CASE(it_ends_to_be_started_as_the_owner_of_a_socket_that_came_later) {
    Supervisord supervisord({kWeb});
    supervisord.down();
    LinkChild link(link_config(supervisord.url()));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    supervisord.up();
    BOOST_REQUIRE(::chown(supervisord.socket_path().c_str(), 65533, 65533) == 0);
    const auto answer = link.call("info", "web");
    BOOST_TEST(answer.end.code == kCallUnreachable);
    BOOST_TEST(answer.end.message.find("Permission denied") != std::string::npos);
    BOOST_TEST(link.read_line().starts_with("broken msg="));
    BOOST_TEST(link.wait() == W_EXITCODE(1, 0));
}

BOOST_AUTO_TEST_CASE(it_works_over_http_as_nobody) {
    Supervisord supervisord({kWeb}, {.user = "admin", .pass = "s3cret%", .http = true});
    LinkChild link(link_config(supervisord.http_url(), "admin", "s3cret%"));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    BOOST_TEST(status_of(link.pid(), "Uid").starts_with("65534\t65534"));
    const auto answer = link.call("list");
    BOOST_TEST(answer.end.code == kCallOk);
    BOOST_TEST(find(answer.programs, "web") != nullptr);
}

BOOST_AUTO_TEST_CASE(looking_up_a_name_stays_within_the_sandbox) {
    Supervisord supervisord({kWeb}, {.http = true});
    const std::string port = supervisord.http_url().substr(std::string("http://127.0.0.1:").size());
    // /etc/hosts has the machine's own name, and often not as 127.0.0.1: to be refused there is an answer
    // too.
    std::array<char, 256> host{};
    BOOST_REQUIRE(::gethostname(host.data(), host.size() - 1) == 0);
    LinkChild link(link_config("http://" + std::string(host.data()) + ":" + port));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    const auto answer = link.call("list");
    BOOST_TEST((answer.end.code == kCallOk || answer.end.code == kCallUnreachable));
    LinkChild local(link_config("http://localhost:" + port));
    BOOST_TEST(local.call("list").end.code == kCallOk);
}

BOOST_AUTO_TEST_CASE(a_certificate_of_nobody_known_is_refused_while_confined) {
    const TempDir dir;
    const int port = free_port();
    BOOST_REQUIRE(run_command({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                               dir.file("key"), "-out", dir.file("cert")})
                      .status == 0);
    Subprocess server({"openssl", "s_server", "-quiet", "-www", "-accept", std::to_string(port), "-key",
                       dir.file("key"), "-cert", dir.file("cert")});
    LinkChild link(link_config("https://localhost:" + std::to_string(port)));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    LinkChild::Answer answer;
    BOOST_TEST(wait_until([&] {
        answer = link.call("list");
        return answer.end.code != kCallUnreachable;  // it needs a moment to listen
    }));
    BOOST_TEST(answer.end.code == kCallBadAnswer);
    BOOST_TEST_MESSAGE(answer.end.message);
    BOOST_TEST(answer.end.message.find("certificate") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_told_without_showing_it) {
    Supervisord supervisord({kWeb}, {.user = "admin", .pass = "right"});
    LinkChild link(link_config(supervisord.url(), "admin", "wr0ngpass"));
    const auto answer = link.call("list");
    BOOST_TEST(answer.end.code == kCallRefused);
    BOOST_TEST(answer.end.message.find("supervisordPass") != std::string::npos);
    BOOST_TEST(answer.end.message.find("wr0ngpass") == std::string::npos);
    BOOST_TEST(answer.programs.empty());
}

BOOST_AUTO_TEST_CASE(settings_are_those_of_the_program) {
    Supervisord supervisord({kWeb}, {.raw = kPool});
    LinkChild link(link_config(supervisord.url()));
    const auto web = link.call("settings", "web");
    BOOST_TEST(web.end.code == kCallOk);
    BOOST_TEST(web.settings.startsecs == 3U);
    BOOST_TEST(web.settings.stopwaitsecs == 7U);
    BOOST_TEST(link.call("settings", "pool:pool_00").settings.startsecs == 0U);
    BOOST_TEST(link.call("settings", "pool_00").end.code == kFaultBadName);
}

BOOST_AUTO_TEST_CASE(faults_keep_their_numbers) {
    Supervisord supervisord(
        {{.name = "web", .command = "/bin/sleep 1000"},
         {.name = "missing", .command = "/nonexistent", .extra = "autostart=false", .tied = false},
         {.name = "off", .command = "/bin/sleep 1000", .extra = "autostart=false"}});
    BOOST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
    LinkChild link(link_config(supervisord.url()));
    BOOST_TEST(link.call("info", "nosuch").end.code == kFaultBadName);
    BOOST_TEST(link.call("start", "web").end.code == kFaultAlreadyStarted);
    BOOST_TEST(link.call("stop", "off").end.code == kFaultNotRunning);
    BOOST_TEST(link.call("start", "missing").end.code == kFaultNoFile);
    BOOST_TEST(link.call("dance", "web").end.code == kCallBadAnswer);
}

BOOST_AUTO_TEST_CASE(stop_and_start_do_what_they_say) {
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    BOOST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
    LinkChild link(link_config(supervisord.url()));
    BOOST_TEST(link.call("stop", "web").end.code == kCallOk);
    BOOST_TEST(supervisord.wait_state("web", "STOPPED"));
    BOOST_TEST(link.call("start", "web").end.code == kCallOk);
    BOOST_TEST(supervisord.wait_state("web", "RUNNING"));
}

BOOST_AUTO_TEST_CASE(it_answers_again_when_supervisord_comes_back) {
    Supervisord supervisord({kWeb});
    LinkChild link(link_config(supervisord.url()));
    BOOST_TEST(link.call("list").end.code == kCallOk);
    supervisord.down();
    const auto away = link.call("list");
    BOOST_TEST(away.end.code == kCallUnreachable);
    BOOST_TEST(away.end.message.find(supervisord.url()) != std::string::npos);
    supervisord.up();
    BOOST_TEST(link.call("list").end.code == kCallOk);
}

BOOST_AUTO_TEST_CASE(a_frozen_supervisord_costs_one_limit_and_no_more) {
    Supervisord supervisord({kWeb});
    LinkChild link(link_config(supervisord.url()));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    supervisord.signal(SIGSTOP);
    const auto begin = Clock::now();
    const auto frozen = link.call("list");
    const auto took = Clock::now() - begin;
    supervisord.signal(SIGCONT);
    BOOST_TEST(frozen.end.code == kCallTimeout);
    BOOST_CHECK(took > 4s && took < 5s + 2s * slower());
    BOOST_TEST(link.call("list").end.code == kCallOk);
}

BOOST_AUTO_TEST_CASE(actions_call_by_sockets_of_their_own) {
    Supervisord supervisord({kWeb});
    LinkChild link(link_config(supervisord.url()));
    const auto first = link.new_client();
    const auto second = link.new_client();
    BOOST_TEST(first->call("info", "web", 10s).program.name == "web");
    BOOST_TEST(second->call("settings", "web", 10s).settings.stopwaitsecs == 7U);
    BOOST_TEST(first->call("info", "nosuch", 10s).code == kFaultBadName);
    BOOST_TEST(link.call("list").end.code == kCallOk);
}

BOOST_AUTO_TEST_CASE(a_late_answer_is_not_taken_for_the_next_one) {
    Supervisord supervisord({kWeb});
    LinkChild link(link_config(supervisord.url()));
    const auto client = link.new_client();
    BOOST_REQUIRE(client->call("info", "web", 10s).ok());
    supervisord.signal(SIGSTOP);
    BOOST_TEST(client->call("info", "nosuch", 200ms).code == kCallTimeout);
    supervisord.signal(SIGCONT);
    const auto next = client->call("info", "web", 10s);
    BOOST_TEST(next.code == kCallOk);
    BOOST_TEST(next.program.name == "web");
}

BOOST_AUTO_TEST_CASE(an_order_of_an_action_that_ended_is_not_carried_out) {
    Supervisord supervisord({kWeb});
    LinkChild link(link_config(supervisord.url()));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    UniqueFd busy = link.new_peer();
    UniqueFd ended = link.new_peer();
    supervisord.signal(SIGSTOP);
    // While the link waits for the first answer, the second action gives up.
    LineWriter info = encode(Call{1, "info", "web"});
    LineWriter stop = encode(Call{1, "stop", "web"});
    BOOST_REQUIRE(send_packet(busy.get(), info.line()));
    BOOST_REQUIRE(!receive_packet(busy.get(), 200ms));
    BOOST_REQUIRE(send_packet(ended.get(), stop.line()));
    ended.reset();
    supervisord.signal(SIGCONT);
    BOOST_REQUIRE(receive_packet(busy.get(), 10s));
    BOOST_TEST(link.call("info", "web").end.code == kCallOk);
    BOOST_TEST(supervisord.state("web") != "STOPPED");
    BOOST_TEST(supervisord.state("web") != "STOPPING");
}

BOOST_AUTO_TEST_CASE(a_peer_that_talks_nonsense_loses_only_itself) {
    Supervisord supervisord({kWeb});
    LinkChild link(link_config(supervisord.url()));
    const UniqueFd noisy = link.new_peer();
    const auto client = link.new_client();
    for (const std::string line : {"reboot now\n"})
        BOOST_REQUIRE(send_packet(noisy.get(), line));
    const auto end = receive_packet(noisy.get(), 5s);
    BOOST_TEST((!end || !end->has_value()));
    BOOST_TEST(client->call("info", "web", 10s).ok());
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_does_not_stall_the_link) {
    Supervisord supervisord({kWeb}, {.raw = kPool});
    LinkChild link(link_config(supervisord.url()));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    const UniqueFd deaf = link.new_peer();
    // Until its own socket is full, or the link has dropped it.
    std::uint64_t seq = 0;
    BOOST_TEST(wait_until(
        [&] {
            LineWriter line = encode(Call{++seq, "list", {}});
            const auto sent = send_packet(deaf.get(), line.line());
            return !sent && sent.error().code == EPIPE;
        },
        60s));
    BOOST_TEST(link.call("list").end.code == kCallOk);
}

BOOST_AUTO_TEST_CASE(it_ends_well_when_the_master_is_gone) {
    LinkChild link(link_config("unix:///nonexistent/supervisor.sock"));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    BOOST_TEST(link.finish() == 0);
}

BOOST_AUTO_TEST_CASE(a_line_of_the_master_out_of_the_grammar_ends_it) {
    LinkChild link(link_config("unix:///nonexistent/supervisor.sock"));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    link.send("call seq=x\n");
    BOOST_TEST(link.read_line().starts_with("broken msg="));
    BOOST_TEST(link.wait() == W_EXITCODE(1, 0));
}

BOOST_AUTO_TEST_CASE(a_client_sees_a_lost_link) {
    LinkChild link(link_config("unix:///nonexistent/supervisor.sock"));
    const auto client = link.new_client();
    BOOST_TEST(client->call("info", "web", 10s).code == kCallUnreachable);
    BOOST_TEST(link.finish() == 0);
    BOOST_TEST(client->call("info", "web", 10s).code == kCallLinkLost);
}

BOOST_AUTO_TEST_SUITE_END()
