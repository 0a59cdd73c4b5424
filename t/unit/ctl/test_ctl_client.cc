// healthcheckctl's way to healthcheckd, and what it makes of servers that are away, frozen or not
// healthcheckd.
#include "common/sandbox/child_kinds.h"
#include "common/text/printable.h"
#include "master/ctl/client.h"
#include "t/fixture/basics.h"

#include "master/ctl/answer.h"
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_ctl_client)

namespace {

using Clock = std::chrono::steady_clock;

// Short ones, for servers that use them up.
constexpr ctl::AskLimits kShort{.connect = 300ms, .answer = 600ms, .bytes = 1 << 20};

std::string failure(const std::string& socket, const ctl::AskLimits& limits = kShort) {
    const auto answer = ctl::ask(socket, request_of("status"), limits);
    return answer ? "" : answer.error().text();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_request_is_one_line_and_the_answer_all_that_comes) {
    const std::string large(3'000'000, 'x');
    const ControlStub stub(large);
    const auto answer = ctl::ask(stub.path(), request_of("history", "网关"), {});
    BOOST_TEST_REQUIRE(static_cast<bool>(answer));
    BOOST_TEST((*answer == large));
    BOOST_TEST_REQUIRE(stub.requests().size() == 1);
    BOOST_TEST(stub.requests()[0] == "history name=%E7%BD%91%E5%85%B3");
}

BOOST_AUTO_TEST_CASE(why_there_is_no_connection_comes_with_the_socket_and_a_remedy) {
    const TempDir dir;
    const std::string absent = dir.file("absent.sock");
    BOOST_TEST(has(failure(absent), absent));
    BOOST_TEST(has(failure(absent), "It does not run, or listens elsewhere: -s names config.socket"));
    const std::string left = dir.file("left.sock");
    unix_listener(left).reset();
    BOOST_TEST(has(failure(left), left + ": nobody listens there"));
    BOOST_TEST(has(failure(dir.write("file", "")), "nobody listens there"));
    BOOST_TEST(has(failure("/" + std::string(200, 'x')), "at most 107 bytes"));
}

BOOST_AUTO_TEST_CASE(a_socket_of_another_user_says_run_as_root) {
    const ControlStub stub(status_answer("[]"));
    ::chmod(stub.path().c_str(), 0600);
    constexpr uid_t kNobody = 65534;
    // Its binary may lie where that user cannot reach it.
    const TempDir dir;
    const std::string copy = dir.file("healthcheckctl");
    std::filesystem::copy_file(healthcheckctl_binary(), copy);
    ::chmod(copy.c_str(), 0755);
    const CommandResult result =
        run_command({copy, "-s", stub.path(), "status"}, 30s, {.env = {}, .output = {}, .uid = kNobody});
    BOOST_TEST(result.status == 2);
    BOOST_TEST(has(result.output, "permission denied. Run healthcheckctl as root"), result.output);
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_waited_for_until_the_deadline_only) {
    const TempDir dir;
    const std::string path = dir.file("full.sock");
    const UniqueFd listener = unix_listener(path, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    std::vector<UniqueFd> waiting;
    for (;;) {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            break;
        waiting.push_back(std::move(fd));
    }
    const auto start = Clock::now();
    BOOST_TEST(has(failure(path), "nothing came for"));
    BOOST_TEST((Clock::now() - start < 5s * slower()));
    // With room before the deadline it goes on.
    std::thread server([&] {
        std::this_thread::sleep_for(200ms);
        for (std::size_t i = 0; i <= waiting.size(); ++i) {
            const UniqueFd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            ControlStub::send_all(client.get(), "{}");
        }
    });
    const auto answer = ctl::ask(path, request_of("status"), {});
    server.join();
    BOOST_TEST_REQUIRE(static_cast<bool>(answer));
    BOOST_TEST(*answer == "{}");
}

BOOST_AUTO_TEST_CASE(a_silent_or_slow_server_is_given_up_at_the_deadline) {
    const ControlStub silent([](const std::string&, int fd) { ControlStub::wait_for_end(fd); });
    auto start = Clock::now();
    BOOST_TEST(has(failure(silent.path()), "nothing came for 0.6 s."), failure(silent.path()));
    BOOST_TEST((Clock::now() - start >= 600ms));
    BOOST_TEST((Clock::now() - start < 10s * slower()));
    // Every byte is news, but the deadline is that of the whole answer.
    const ControlStub dripping([](const std::string&, int fd) {
        for (int i = 0; i < 300 && ::send(fd, " ", 1, MSG_NOSIGNAL) == 1; ++i)
            std::this_thread::sleep_for(20ms);
    });
    start = Clock::now();
    BOOST_TEST(has(failure(dripping.path()), "nothing came for") == true);
    BOOST_TEST((Clock::now() - start < 4s * slower()));
}

BOOST_AUTO_TEST_CASE(an_answer_without_end_is_cut_off) {
    const ControlStub stub([](const std::string&, int fd) {
        const std::string piece(1 << 20, '[');
        for (int i = 0; i < 100; ++i)
            ControlStub::send_all(fd, piece);
    });
    BOOST_TEST(has(failure(stub.path()), "larger than 1 MB"));
    const CommandResult result = healthcheckctl(stub.path(), {"status"});
    BOOST_TEST(result.status == 2);
    BOOST_TEST(has(result.output, "larger than 64 MB"), result.output);
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_up_at_once_says_nothing_but_one_that_answers_first_is_heard) {
    const ControlStub stub(std::string{});
    BOOST_TEST(has(failure(stub.path()), "it hung up"));
    // The request still lies in the socket when it closes: the client's kernel has a reset for it.
    const TempDir dir;
    const UniqueFd listener = unix_listener(dir.file("early.sock"));
    std::thread server([&] {
        const UniqueFd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        ControlStub::send_all(client.get(), R"({"ok": false, "error": "too many clients"})");
    });
    const auto answer = ctl::ask(dir.file("early.sock"), request_of("status"), {});
    server.join();
    BOOST_TEST_REQUIRE(static_cast<bool>(answer), (answer ? "" : answer.error().text()));
    BOOST_TEST(has(*answer, "too many clients"));
}

BOOST_AUTO_TEST_CASE(what_is_no_answer_of_healthcheckd_ends_with_status_2) {
    const std::string whole = status_answer("[{}]");
    const std::vector<std::string> answers = {
        "garbage\n",
        "\xff\xfe\x1b[2J",
        whole.substr(0, whole.size() / 2),
        "[]",
        "17",
        "null",
        "{}",
        R"({"ok": 1})",
        whole + whole,
        std::string(1'000'000, '['),
        R"({"ok": true, "state": )" + std::string(100, '[') + std::string(100, ']') + "}",
        std::string("HTTP/1.1 400 Bad Request\r\n\r\n"),
    };
    for (const std::string& answer : answers) {
        const ControlStub stub(answer);
        const CommandResult result = healthcheckctl(stub.path(), {"status"});
        BOOST_TEST_CONTEXT(printable(answer, 60) << " gave " << result.output) {
            BOOST_TEST(result.status == 2);
            BOOST_TEST(has(result.output, stub.path() + ": this is no answer of healthcheckd"));
            BOOST_TEST(!has(result.output, "\x1b"));
        }
    }
}

BOOST_AUTO_TEST_CASE(answers_whose_members_are_missing_or_of_other_types_are_shown_with_holes) {
    const std::vector<std::string> answers = {
        R"({"ok": true})",
        R"({"ok": true, "state": []})",
        R"({"ok": true, "state": {"cats": [1, null, {}, {"name": 7, "state": [], "lastProbe": "x", "pid": "y"}]}})",
        R"({"ok": true, "cats": 3, "until": 4, "events": [{}, 5], "lines": {}, "added": "x", "problems": 1})",
        R"({"ok": false, "error": 5})",
    };
    for (const std::string& answer : answers) {
        const ControlStub stub(answer);
        for (const std::vector<std::string>& command : every_command()) {
            const CommandResult result = healthcheckctl(stub.path(), command);
            // A state that is none is no good health.
            const bool no_state =
                command[0] == "status" && !has(answer, "cats\": [") && !has(answer, "false");
            BOOST_TEST((no_state ? result.status == 2 : result.status <= 1),
                       command[0] << " of " << answer << ": " << result.output);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_frozen_daemon_ends_status_with_2_after_its_deadline) {
    const ControlStub stub([](const std::string&, int fd) { ControlStub::wait_for_end(fd); });
    const auto start = Clock::now();
    const CommandResult result = healthcheckctl(stub.path(), {"status"});
    BOOST_TEST(result.status == 2);
    BOOST_TEST(has(result.output, "nothing came for 5 s"), result.output);
    BOOST_TEST((Clock::now() - start >= 4s));
    BOOST_TEST((Clock::now() - start < 30s * slower()));
}

BOOST_AUTO_TEST_CASE(check_and_reload_have_the_time_of_a_probe_and_of_the_child_that_reads_the_file) {
    BOOST_TEST((ctl::limits_for(request_of("check", "a")).answer > children::kConfiguration.limit + 1s));
    BOOST_TEST((ctl::limits_for(request_of("reload")).answer > children::kConfiguration.limit + 1s));
    BOOST_TEST((ctl::limits_for(request_of("status")).answer == 5s));
    BOOST_TEST((ctl::limits_for(request_of("check", "a"), 700ms).answer == 700ms));
    BOOST_TEST((ctl::limits_for(request_of("status"), 700ms).connect == 700ms));
}

BOOST_AUTO_TEST_SUITE_END()
