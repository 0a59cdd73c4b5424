#include "common/net/resolver.h"
#include "common/sandbox/landlock.h"
#include "common/sandbox/seccomp.h"
#include "common/system/unique_fd.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/net/listener.h"
#include "t/fixture/net/private_names.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <netinet/in.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_probe_tcp)

namespace {

CatConfig tcp_cat(const std::string& host, int port) {
    CatConfig cat;
    cat.set_type(kTcpCheck);
    cat.own<ServerAddress>().host = host;
    cat.own<ServerAddress>().port = port;
    cat.timeout = 2s;
    return cat;
}

constexpr ProcessId kSome{12345, 1};

}  // namespace

BOOST_AUTO_TEST_CASE(a_connection_that_is_accepted_is_a_success_and_closed_at_once) {
    const Listener server(AF_INET);
    WorkerHarness worker(tcp_cat("127.0.0.1", server.port()));
    BOOST_TEST(worker.first_line().starts_with("ready missing="));
    for (int i = 0; i < 3; ++i) {
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::success, report.message);
        BOOST_TEST(report.unit == "ms");
        BOOST_TEST(report.limit == 2000);
        BOOST_TEST(report.message.starts_with("connected in "), report.message);
        const UniqueFd peer(server.accept());
        char byte = 0;
        BOOST_TEST(::read(peer.get(), &byte, 1) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_closed_port_is_a_failure_at_once) {
    WorkerHarness worker(tcp_cat("127.0.0.1", free_port()));
    const Report report = worker.probe(kSome);
    BOOST_TEST(report.verdict == Verdict::failure);
    BOOST_TEST(report.message == "connection refused");
    BOOST_TEST(report.took_us < 1'000'000u * slower());
}

BOOST_AUTO_TEST_CASE(any_address_of_the_name_will_do) {
    const Listener v4(AF_INET);
    WorkerHarness by_v4(tcp_cat("localhost", v4.port()));
    BOOST_TEST(by_v4.probe(kSome).verdict == Verdict::success);
    const Listener v6(AF_INET6);
    if (v6.port() == 0)
        skip("no IPv6 loopback");
    WorkerHarness by_v6(tcp_cat("localhost", v6.port()));
    const Report report = by_v6.probe(kSome);
    BOOST_TEST(report.verdict == Verdict::success, report.message);
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_is_taken_with_and_without_brackets) {
    const Listener server(AF_INET6);
    if (server.port() == 0)
        skip("no IPv6 loopback");
    for (const char* host : {"::1", "[::1]"}) {
        WorkerHarness worker(tcp_cat(host, server.port()));
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::success, report.message);
    }
}

BOOST_AUTO_TEST_CASE(no_answer_to_the_connection_is_a_failure_within_the_timeout) {
    // A full backlog makes the kernel drop what comes.
    const Listener server(AF_INET, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(server.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        (void)::connect(clients.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    CatConfig cat = tcp_cat("127.0.0.1", server.port());
    cat.timeout = 500ms;
    WorkerHarness worker(cat);
    const Report report = worker.probe(kSome);
    BOOST_TEST(report.verdict == Verdict::failure);
    BOOST_TEST(report.message == "no connection within 0.5 s");
    BOOST_TEST(report.took_us >= 450'000u);
    BOOST_TEST(report.took_us < 500'000u + 1'000'000u * slower());
}

// The kernel gives the very port that nobody listens on to the one who asks for it.
BOOST_AUTO_TEST_CASE(a_connection_that_leads_back_to_itself_is_a_closed_port) {
    const PrivateNames names;
    for (const char* host : {"127.0.0.1", "localhost", "web.test"}) {
        WorkerHarness worker(tcp_cat(host, 40000), {}, SandboxLevel::strict, [&] {
            names.enter();
            std::ofstream range("/proc/sys/net/ipv4/ip_local_port_range");
            range << "40000 40000" << std::flush;
            if (!range)
                throw std::runtime_error("ip_local_port_range");
        });
        BOOST_TEST_REQUIRE(worker.first_line().starts_with("ready missing="), host);
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::failure, host);
        BOOST_TEST(report.message == "connection refused", host << ": " << report.message);
    }
}

BOOST_AUTO_TEST_CASE(a_program_that_does_not_run_is_idle_and_not_connected_to) {
    const Listener server(AF_INET);
    WorkerHarness worker(tcp_cat("127.0.0.1", server.port()));
    BOOST_TEST(worker.probe({}, "STOPPED").message == "not running (STOPPED)");
}

BOOST_AUTO_TEST_CASE(a_name_of_the_hosts_file_is_resolved_in_the_sandbox_until_the_file_is_replaced) {
    const PrivateNames names;
    constexpr int kPort = 8080;
    WorkerHarness worker(tcp_cat("web.test", kPort), {}, SandboxLevel::strict, [&] {
        names.enter();
        // Listens in the worker's own network, and stays open in it.
        const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(kPort);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener.get(), 16) != 0 || ::dup(listener.get()) < 0)
            throw std::runtime_error("listen");
    });
    BOOST_TEST_REQUIRE(worker.first_line().starts_with("ready missing="));
    for (int i = 0; i < 2; ++i) {
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::success, report.message);
    }
    names.write("hosts", "127.0.0.1 localhost\n127.0.0.1 web.test\n");
    if (landlock_abi() == 0)
        return;
    const Report report = worker.probe(kSome);
    BOOST_TEST(report.message == "broken msg=/etc/hosts was replaced");
    BOOST_TEST(worker.child().end() == "exit 1");
}

// That says nothing about the program.
BOOST_AUTO_TEST_CASE(a_name_server_that_hangs_is_unknown_within_the_timeout) {
    const PrivateNames names;
    CatConfig cat = tcp_cat("slow.test", 80);
    cat.timeout = 500ms;
    WorkerHarness worker(cat, {}, SandboxLevel::strict, [&] { names.enter_with_hanging_server(); });
    for (int i = 0; i < 3; ++i) {
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::unknown);
        BOOST_TEST(report.message == "name 'slow.test' was not resolved within 0.5 s");
        BOOST_TEST(report.took_us >= 450'000u);
        BOOST_TEST(report.took_us < 500'000u + 1'000'000u * slower());
    }
}

// Eight at most; the ninth has no thread.
BOOST_AUTO_TEST_CASE(look_ups_that_hang_do_not_pile_up) {
    const PrivateNames names;
    CatConfig cat = tcp_cat("slow.test", 80);
    cat.timeout = 100ms;
    WorkerHarness worker(cat, {}, SandboxLevel::strict, [&] { names.enter_with_hanging_server(); });
    const auto threads = [&] {
        const std::string status = read_file("/proc/" + std::to_string(worker.child().pid()) + "/status");
        return std::stoi(status.substr(status.find("Threads:") + 8));
    };
    bool full = false;
    for (int i = 0; i < 60; ++i) {
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::unknown, report.message);
        BOOST_TEST(threads() <= (kSanitized ? 45 : 9));
        full = full || report.message == "name 'slow.test' could not be resolved: no thread for the look-up: "
                                         "Resource temporarily unavailable";
    }
    BOOST_TEST((full || kSanitized), "never more than eight");
    BOOST_TEST(wait_until([&] { return threads() == 1; }));
}

BOOST_AUTO_TEST_CASE(a_name_that_does_not_exist_is_a_failure_and_one_that_nobody_tells_is_unknown) {
    const PrivateNames names;
    struct Row {
        const char* host;
        Verdict verdict;
        const char* message;
    };
    // The last one shows that the server works: there is an address, but nothing listens.
    for (const Row& row :
         {Row{"nx.test", Verdict::failure, "name 'nx.test' does not exist"},
          Row{"a b", Verdict::failure, "name 'a b' does not exist"},
          Row{"servfail.test", Verdict::unknown,
              "name 'servfail.test' could not be resolved: Temporary failure in name resolution"},
          Row{"hang.test", Verdict::unknown, "name 'hang.test' was not resolved within 0.5 s"},
          Row{"known.test", Verdict::failure, "connection refused"}}) {
        CatConfig cat = tcp_cat(row.host, 80);
        cat.timeout = 500ms;
        WorkerHarness worker(cat, {}, SandboxLevel::strict, [&] { names.enter_with_server(); });
        for (int i = 0; i < 3; ++i) {
            const Report report = worker.probe(kSome);
            BOOST_TEST(report.verdict == row.verdict, report.message);
            BOOST_TEST(report.message == row.message);
            BOOST_TEST(report.took_us < 500'000u + 500'000u * slower(), row.host);
        }
    }
}

BOOST_AUTO_TEST_CASE(without_a_name_server_a_name_is_unknown_and_says_so) {
    const PrivateNames names;
    for (const CheckType* type : {&kTcpCheck, &kHttpCheck}) {
        CatConfig cat = tcp_cat("nowhere.test", 80);
        cat.set_type(*type);
        cat.own<ServerAddress>().host = "nowhere.test";
        WorkerHarness worker(cat, {}, SandboxLevel::strict, [&] { names.enter(); });
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::unknown);
        BOOST_TEST(report.message ==
                   "name 'nowhere.test' could not be resolved: Temporary failure in name resolution");
    }
}

BOOST_AUTO_TEST_CASE(a_name_that_hangs_holds_up_no_other_cat) {
    const PrivateNames names;
    CatConfig cat = tcp_cat("hang.test", 80);
    WorkerHarness slow(cat, {}, SandboxLevel::strict, [&] { names.enter_with_server(); });
    cat.own<ServerAddress>().host = "known.test";
    WorkerHarness other(cat, {}, SandboxLevel::strict, [&] { names.enter_with_server(); });
    BOOST_TEST_REQUIRE(slow.first_line().starts_with("ready missing="));
    BOOST_TEST_REQUIRE(other.first_line().starts_with("ready missing="));
    auto hanging = std::async(std::launch::async, [&] { return slow.probe(kSome); });
    int done = 0;
    while (hanging.wait_for(0s) != std::future_status::ready) {
        const Report report = other.probe(kSome);
        BOOST_TEST_REQUIRE(report.message == "connection refused");
        BOOST_TEST(report.took_us < 500'000u * slower());
        ++done;
    }
    BOOST_TEST(done > 10);
    BOOST_TEST(hanging.get().message == "name 'hang.test' was not resolved within 2 s");
}

BOOST_AUTO_TEST_CASE(the_resolver_tries_for_longer_than_any_probe_of_two_minutes_waits) {
    for (const int seconds : {1, 2, 3, 7, 10, 25, 26, 30, 60, 120}) {
        const Resolver resolver{std::chrono::seconds(seconds)};
        int timeout = 0;
        int attempts = 0;
        const char* options = std::getenv("RES_OPTIONS");
        BOOST_TEST_REQUIRE(options != nullptr);
        BOOST_TEST_REQUIRE(std::sscanf(options, "timeout:%d attempts:%d", &timeout, &attempts) == 2, options);
        BOOST_TEST(timeout * attempts > seconds, options);
        BOOST_TEST(timeout <= 30, options);  // RES_MAXRETRANS, RES_MAXRETRY of resolv.conf(5)
        BOOST_TEST(attempts <= 5, options);
    }
}

// The resolver's own tries would end at the same second.
BOOST_AUTO_TEST_CASE(a_name_server_that_does_not_answer_is_the_probes_timeout_at_every_length) {
    const PrivateNames names;
    for (const int seconds : {1, 2, 3}) {
        CatConfig cat = tcp_cat("hang.test", 80);
        cat.timeout = std::chrono::seconds(seconds);
        WorkerHarness worker(cat, {}, SandboxLevel::strict, [&] { names.enter_with_server(); });
        BOOST_TEST_REQUIRE(worker.first_line().starts_with("ready missing="));
        BOOST_TEST(worker.probe(kSome).message ==
                   "name 'hang.test' was not resolved within " + std::to_string(seconds) + " s");
    }
}

BOOST_AUTO_TEST_SUITE_END()
