// How probes end their connections: nothing of them stays in TIME_WAIT, and no server takes it for an error.
#include "t/fixture/checks.h"
#include "t/fixture/net/certificates.h"
#include "t/fixture/net/port_server.h"
#include "t/fixture/net/raw_server.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/process/shared_count.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <sstream>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_connection_ends)

namespace {

constexpr ProcessId kSome{12345, 1};
constexpr int kProbes = 40;
// The other side's end may come between two calls of this one, which is no end that we could choose.
// The slower this one is, the more often.
int by_chance() {
    return slower() > 1 ? kProbes / 2 : 2;
}

CatConfig cat_of(const CheckType& type, int port) {
    CatConfig cat;
    cat.set_type(type);
    cat.own<ServerAddress>().host = "127.0.0.1";
    cat.own<ServerAddress>().port = port;
    cat.timeout = 5s * slower();
    return cat;
}

// Connections from or to `port` that wait for their time to be over: state 06 of proc_pid_net(5).
int in_time_wait(int port) {
    int count = 0;
    for (const char* file : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
        std::istringstream table(read_file(file));
        for (std::string line; std::getline(table, line);) {
            char local[40] = {}, remote[40] = {};
            unsigned state = 0;
            if (std::sscanf(line.c_str(), "%*s %39s %39s %2x", local, remote, &state) != 3 || state != 6)
                continue;
            for (const std::string_view end : {local, remote})
                if (const std::size_t colon = end.rfind(':'); colon != std::string_view::npos)
                    count += std::stoi(std::string(end.substr(colon + 1)), nullptr, 16) == port ? 1 : 0;
        }
    }
    return count;
}

void probe_often(const CatConfig& cat) {
    WorkerHarness worker(cat);
    BOOST_TEST_REQUIRE(worker.first_line().starts_with("ready missing="), worker.first_line());
    for (int i = 0; i < kProbes; ++i) {
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::success, report.message);
    }
    BOOST_TEST(in_time_wait(cat.own<ServerAddress>().port) <= by_chance());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_server_reads_a_proper_end_and_nothing_stays) {
    for (const CheckType* type : {&kHttpCheck, &kTcpCheck}) {
        SharedCount proper, served;
        const RawServer server([&](int connection) {
            if (type == &kHttpCheck) {
                hear_request(connection);
                say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
            proper.add(hear_end(connection) == 0);
            served.add(true);
        });
        probe_often(cat_of(*type, server.port()));
        BOOST_TEST(wait_until([&] { return served == kProbes; }));
        BOOST_TEST(proper == kProbes);
        BOOST_TEST(in_time_wait(server.port()) <= by_chance());
    }
}

BOOST_AUTO_TEST_CASE(nothing_stays_of_a_server_that_ends_first_or_speaks_tls) {
    const RawServer server([&](int connection) {
        hear_request(connection);
        say(connection, "HTTP/1.0 200 OK\r\n\r\nok");
    });
    probe_often(cat_of(kHttpCheck, server.port()));

    Authority authority;
    const WebServer encrypted(authority.issue());
    CatConfig cat = cat_of(kHttpCheck, encrypted.port());
    cat.own<HttpCheck>().path = "/ok";
    cat.own<HttpCheck>().tls = true;
    cat.own<HttpCheck>().ca_file = authority.ca_file();
    probe_often(cat);
}

BOOST_AUTO_TEST_CASE(a_server_that_speaks_tls_gets_the_end_of_tls_at_once) {
    Authority authority;
    const Certificate certificate = authority.issue();
    const TempDir dir;
    const std::string ends = dir.file("ends");
    // It serves one after the other: a connection that stayed open would keep the next probe waiting.
    const PortServer server("net/tls_ends.py", {ends, certificate.cert_file, certificate.key_file});
    CatConfig cat = cat_of(kHttpCheck, server.port());
    cat.own<HttpCheck>().tls = true;
    cat.own<HttpCheck>().ca_file = authority.ca_file();
    probe_often(cat);
    std::string all;
    for (int i = 0; i < kProbes; ++i)
        all += "close_notify\n";
    BOOST_TEST(wait_until([&] { return read_file(ends) == all; }), read_file(ends));
}

BOOST_AUTO_TEST_CASE(pythons_server_has_nothing_to_complain_of) {
    const TempDir dir;
    dir.write("index.html", "<p>hello");
    // As much as comes in the time that a worker gives a body.
    dir.write("big.html", std::string(static_cast<std::size_t>((2 << 20) / slower()), 'x'));
    for (const char* version : {"HTTP/1.0", "HTTP/1.1"}) {
        const int port = free_port();
        Subprocess::Options options;
        options.output = dir.file("output");
        const Subprocess server({"/usr/bin/python3", "-u", "-c",
                                 "import sys, socket, http.server as h\n"
                                 "socket.getfqdn = lambda name='': name\n"  // asks no name service
                                 "class H(h.SimpleHTTPRequestHandler): protocol_version = sys.argv[2]\n"
                                 "h.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])),"
                                 " lambda *a: H(*a, directory=sys.argv[3])).serve_forever()",
                                 std::to_string(port), version, dir.path().string()},
                                options);
        BOOST_TEST_REQUIRE(wait_until([&] { return listens(port); }));
        CatConfig cat = cat_of(kHttpCheck, port);
        probe_often(cat);
        cat.own<HttpCheck>().path = "/big.html";
        probe_often(cat);
        probe_often(cat_of(kTcpCheck, port));
        cat.own<HttpCheck>().path = "/";
        BOOST_TEST(WorkerHarness(cat).probe(kSome).verdict == Verdict::success);
        BOOST_TEST(server.output().find("Traceback") == std::string::npos, server.output());
        BOOST_TEST(server.output().find("Error") == std::string::npos, server.output());
    }
}

BOOST_AUTO_TEST_CASE(nginx_has_nothing_to_complain_of) {
    const std::string nginx = installed("nginx");
    const TempDir dir;
    const int port = free_port();
    dir.write("index.html", std::string(2 << 20, 'x'));
    for (const char* more : {"", "keepalive_timeout 0;", "lingering_close always;"}) {
        const std::string log = dir.write("error.log", "", 0666);
        const std::string access = dir.write("access.log", "", 0666);
        const std::string config = dir.write(
            "nginx.conf", "daemon off; master_process off; pid " + dir.file("pid") + "; error_log " + log +
                              " info; events {}\nhttp { access_log " + access + "; client_body_temp_path " +
                              dir.file("b") + "; proxy_temp_path " + dir.file("p") + "; fastcgi_temp_path " +
                              dir.file("f") + "; uwsgi_temp_path " + dir.file("u") + "; scgi_temp_path " +
                              dir.file("s") + "; " + more +
                              "\nserver { listen 127.0.0.1:" + std::to_string(port) + "; root " +
                              dir.path().string() + "; location = /short { return 200 ok; } } }\n");
        const Subprocess server({nginx, "-c", config});
        BOOST_TEST_REQUIRE(wait_until([&] { return listens(port); }), read_file(log));
        CatConfig cat = cat_of(kHttpCheck, port);
        probe_often(cat);
        cat.own<HttpCheck>().path = "/short";
        probe_often(cat);
        probe_often(cat_of(kTcpCheck, port));
        // Over: every request has its line.
        BOOST_TEST(wait_until([&] {
            const std::string text = read_file(access);
            return std::count(text.begin(), text.end(), '\n') >= 2 * kProbes;
        }));
        BOOST_TEST(read_file(access).find("\" 200 ") != std::string::npos);
        const std::string text = read_file(log);
        for (const char* word : {"[warn]", "[error]", "[alert]", "[crit]", "reset by peer", "Broken pipe"})
            BOOST_TEST(text.find(word) == std::string::npos, more << ": " << text);
    }
}

BOOST_AUTO_TEST_CASE(redis_has_nothing_to_complain_of) {
    const TempDir dir;
    const int port = free_port();
    Subprocess::Options options;
    options.output = dir.file("output");
    const Subprocess server({installed("redis-server"), "--bind", "127.0.0.1", "--port", std::to_string(port),
                             "--save", "", "--dir", dir.path().string(), "--loglevel", "verbose"},
                            options);
    BOOST_TEST_REQUIRE(wait_until([&] { return listens(port); }), server.output());
    probe_often(cat_of(kTcpCheck, port));
    // One that is over before Redis has taken it gets no line about its end.
    const auto accepted = [&] {
        const std::string text = server.output();
        int count = 0;
        for (std::size_t at = text.find("Accepted"); at != std::string::npos;
             at = text.find("Accepted", at + 1))
            ++count;
        return count;
    };
    BOOST_TEST(wait_until([&] { return accepted() >= kProbes; }), server.output());
    for (const char* word : {"Error", "error", "reset by peer"})
        BOOST_TEST(server.output().find(word) == std::string::npos, server.output());
}

BOOST_AUTO_TEST_SUITE_END()
