// Whose fault it is: what this machine cannot do says nothing about the program, with the real worker in
// networks of its own.
#include "common/sandbox/seccomp.h"
#include "t/fixture/checks.h"
#include "t/fixture/net/listener.h"
#include "t/fixture/net/private_names.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/skip.h"
#include "worker/probe/refusals.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <sys/resource.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_probe_trouble)

namespace {

constexpr ProcessId kSome{12345, 1};
constexpr int kPort = 8080;
constexpr const char* kNoPort =
    "this machine has no free port, or no address, to connect from: Cannot assign requested address";

CatConfig cat_of(const CheckType& type, const std::string& host, int port = kPort) {
    CatConfig cat;
    cat.set_type(type);
    cat.own<ServerAddress>().host = host;
    cat.own<ServerAddress>().port = port;
    cat.timeout = 2s;
    return cat;
}

void set_network(const std::string& name, const std::string& value) {
    std::ofstream file("/proc/sys/net/" + name);
    file << value << std::flush;
    if (!file)
        throw std::runtime_error(name);
}

// Whose connections take both of the two ports that there are for clients.
void use_up_ports() {
    set_network("ipv4/ip_local_port_range", "40000 40001");
    Listener listener(AF_INET, 16, kPort);
    if (listener.port() != kPort)
        throw std::runtime_error("listen");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(kPort);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 2; ++i) {
        const int client = ::socket(AF_INET, SOCK_STREAM, 0);  // for the worker's life
        if (::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("connect");
    }
    if (::dup(listener.get()) < 0)
        throw std::runtime_error("dup");
}

// What the table of routes says of an address that is not of this machine.
void refuse_route(const std::string& kind) {
    if (std::system(("ip route add " + kind + " 192.0.2.1").c_str()) != 0)
        throw std::runtime_error("ip route");
}

worker::Refusal refusal(int family, int error, bool no_socket = false) {
    return {family, error, no_socket};
}

void expect(WorkerHarness& worker, Verdict verdict, const std::string& message) {
    BOOST_TEST_REQUIRE(worker.first_line().starts_with("ready missing="), worker.first_line());
    for (int i = 0; i < 3; ++i) {
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == verdict, report.message);
        BOOST_TEST(report.message == message);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_a_free_port_nothing_is_known) {
    const PrivateNames names;
    for (const CheckType* type : {&kHttpCheck, &kTcpCheck})
        for (const char* host : {"127.0.0.1", "localhost", "web.test"})
            BOOST_TEST_CONTEXT(to_string(type) << " " << host) {
                WorkerHarness worker(cat_of(*type, host), {}, SandboxLevel::strict, [&] {
                    names.enter();
                    use_up_ports();
                });
                expect(worker, Verdict::unknown, kNoPort);
            }
}

// There "no address to connect from" is how things are, and what listens at the other address counts.
BOOST_AUTO_TEST_CASE(where_ipv6_is_switched_off_a_closed_port_of_localhost_stays_a_failure) {
    const PrivateNames names;
    for (const CheckType* type : {&kHttpCheck, &kTcpCheck}) {
        WorkerHarness worker(cat_of(*type, "localhost"), {}, SandboxLevel::strict, [&] {
            names.enter();
            set_network("ipv6/conf/all/disable_ipv6", "1");
        });
        expect(worker, Verdict::failure, "connection refused");
    }
}

BOOST_AUTO_TEST_CASE(without_a_descriptor_nothing_is_known) {
    // IsAccessibleMemoryRange() of compiler-rt makes a pipe, and takes all memory for bad when it gets none.
    if (kSanitized)
        skip("a build with UndefinedBehaviorSanitizer, which needs descriptors to look at an object's type");
    need_root("needs root, for a worker with a user of its own");
    const PrivateNames names;
    for (const CheckType* type : {&kHttpCheck, &kTcpCheck})
        for (const char* host : {"127.0.0.1", "web.test"})
            BOOST_TEST_CONTEXT(to_string(type) << " " << host) {
                WorkerHarness worker(cat_of(*type, host), {}, SandboxLevel::strict, [&] { names.enter(); });
                BOOST_TEST_REQUIRE(worker.first_line().starts_with("ready missing="), worker.first_line());
                // As its own user: it takes CAP_SYS_RESOURCE to lower the limit of another one's process.
                Subprocess other(
                    [pid = worker.child().pid()] {
                        const rlimit none{3, 3};  // 0 to 2 are open
                        return ::prlimit(pid, RLIMIT_NOFILE, &none, nullptr) == 0 ? 0 : errno;
                    },
                    Subprocess::Options{.env = {}, .output = {}, .uid = worker.uid()});
                BOOST_TEST_REQUIRE(other.wait(5s) == 0);
                for (int i = 0; i < 2; ++i) {
                    const Report report = worker.probe(kSome);
                    BOOST_TEST(report.verdict == Verdict::unknown, report.message);
                    BOOST_TEST(has(report.message, "Too many open files"), report.message);
                }
            }
}

BOOST_AUTO_TEST_CASE(what_this_machine_does_not_allow_is_unknown_unless_another_address_answers) {
    const PrivateNames names;
    (void)installed("ip");
    names.write("host.conf", "multi on\n");
    names.write("hosts", "127.0.0.1 localhost\n192.0.2.1 two.test\n127.0.0.1 two.test\n");
    const auto enter = [&] {
        names.enter();
        refuse_route("prohibit");
    };
    for (const CheckType* type : {&kHttpCheck, &kTcpCheck}) {
        WorkerHarness one(cat_of(*type, "192.0.2.1"), {}, SandboxLevel::strict, enter);
        expect(one, Verdict::unknown, "this machine does not allow the connection: Permission denied");
        WorkerHarness two(cat_of(*type, "two.test"), {}, SandboxLevel::strict, enter);
        expect(two, Verdict::failure, "connection refused");
    }
}

BOOST_AUTO_TEST_CASE(a_host_that_cannot_be_reached_is_a_failure) {
    const PrivateNames names;
    (void)installed("ip");
    for (const CheckType* type : {&kHttpCheck, &kTcpCheck}) {
        WorkerHarness closed(cat_of(*type, "192.0.2.1"), {}, SandboxLevel::strict, [&] {
            names.enter();
            refuse_route("unreachable");
        });
        expect(closed, Verdict::failure, "no connection: No route to host");
        WorkerHarness none(cat_of(*type, "192.0.2.1"), {}, SandboxLevel::strict, [&] { names.enter(); });
        expect(none, Verdict::failure, "no connection: Network is unreachable");
    }
}

BOOST_AUTO_TEST_CASE(what_is_wanting_outweighs_every_answer_and_a_barred_path_none) {
    using worker::judge_refusals;
    for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN, EADDRINUSE}) {
        for (const bool no_socket : {false, true}) {
            BOOST_TEST(judge_refusals({refusal(AF_INET, error, no_socket)}, false, 2s).verdict ==
                       Verdict::unknown);
            BOOST_TEST(judge_refusals({refusal(AF_INET6, ECONNREFUSED), refusal(AF_INET, error, no_socket)},
                                      false, 2s)
                           .verdict == Verdict::unknown);
        }
    }
    for (const int error : {EACCES, EPERM, EADDRNOTAVAIL}) {
        BOOST_TEST(judge_refusals({refusal(AF_INET6, error)}, false, 2s).verdict == Verdict::unknown);
        for (const int answer : {ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH})
            BOOST_TEST(
                judge_refusals({refusal(AF_INET6, error), refusal(AF_INET, answer)}, false, 2s).verdict ==
                Verdict::failure);
        BOOST_TEST(judge_refusals({refusal(AF_INET6, error), refusal(AF_INET, EAFNOSUPPORT, true)}, false, 2s)
                       .verdict == Verdict::unknown);
    }
    // Ports are wanting, as there is an address.
    BOOST_TEST(judge_refusals({refusal(AF_INET6, EADDRNOTAVAIL), refusal(AF_INET, ECONNREFUSED)}, true, 2s)
                   .verdict == Verdict::unknown);
    BOOST_TEST(judge_refusals({refusal(AF_INET6, ECONNREFUSED), refusal(AF_INET, EADDRNOTAVAIL)}, false, 2s)
                   .verdict == Verdict::unknown);
    BOOST_TEST(
        judge_refusals({refusal(AF_INET6, EAFNOSUPPORT, true), refusal(AF_INET, ECONNREFUSED)}, false, 2s)
            .message == "connection refused");
    BOOST_TEST(judge_refusals({refusal(AF_INET6, ECONNREFUSED), refusal(AF_INET, ETIMEDOUT)}, false, 500ms)
                   .message == "no connection within 0.5 s");
}

BOOST_AUTO_TEST_SUITE_END()
