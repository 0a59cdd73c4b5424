// Servers that mean harm or are broken, real ones, against the real, confined workers: the right verdict, a
// reason that tells them apart, in time, and a worker that stays as it is.
#include "common/sandbox/seccomp.h"
#include "common/text/number.h"
#include "t/fixture/checks.h"
#include "t/fixture/net/certificates.h"
#include "t/fixture/net/raw_server.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/slower.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_hostile_servers)

namespace {

constexpr ProcessId kSome{12345, 1};
constexpr int kProbes = 20;
constexpr auto kMargin = 1s;            // for a machine that is busy with other tests
constexpr long kMaxGrowthKb = 6 << 10;  // but for a sanitizer, which keeps what was freed

struct Row {
    const char* path;
    Verdict verdict;
    const char* message;  // how it begins; what waits names the limit after it
    bool waits = false;   // until the time limit
};

// What HTTP itself can do, in the clear or within TLS.
const Row kEndless[] = {
    {"/inf", Verdict::success, "HTTP 200 in "},
    {"/hdr", Verdict::failure, "bad response: headers larger than 64 KB"},
    {"/hdr1", Verdict::failure, "bad response: a header line is too long"},
    {"/100", Verdict::failure, "bad response: headers larger than 64 KB"},
    {"/bomb", Verdict::success, "HTTP 200 in "},  // never unpacked
};
const Row kSilent[] = {{"/hang", Verdict::failure, "no answer within ", true}};
const Row kSlow[] = {
    {"/driphead", Verdict::failure, "HTTP 200, but the head of the answer did not end within ", true}};
const Row kBroken[] = {
    {"/garbage", Verdict::failure, "bad response: "},
    {"/close", Verdict::failure, ""},  // named below: TLS has its own word for an end without a goodbye
};
const Row kRedirects[] = {
    {"/loop", Verdict::success, "HTTP 302 in "},
    {"/file", Verdict::success, "HTTP 302 in "},
    {"/ftp", Verdict::success, "HTTP 302 in "},
};

CatConfig http_cat(int port, const std::string& path = "/ok") {
    CatConfig cat;
    cat.set_type(kHttpCheck);
    cat.own<ServerAddress>().host = "127.0.0.1";
    cat.own<ServerAddress>().port = port;
    cat.own<HttpCheck>().path = path;
    return cat;
}

CatConfig https_cat(int port, const std::string& ca_file, const std::string& path = "/ok") {
    CatConfig cat = http_cat(port, path);
    cat.own<HttpCheck>().tls = true;
    cat.own<HttpCheck>().ca_file = ca_file;
    return cat;
}

long peak_kb(pid_t pid) {
    const std::string status = read_file("/proc/" + std::to_string(pid) + "/status");
    return std::stol(status.substr(status.find("VmHWM:") + 6));
}

std::size_t open_sockets(pid_t pid) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
        std::error_code gone;
        count += std::filesystem::read_symlink(entry.path(), gone).string().starts_with("socket:") ? 1 : 0;
    }
    return count;
}

// Connections to `port` that this side has not ended: ESTABLISHED or CLOSE_WAIT of proc_pid_net(5).
int connections_to(pid_t pid, int port) {
    std::istringstream table(read_file("/proc/" + std::to_string(pid) + "/net/tcp"));
    std::string line;
    int count = 0;
    while (std::getline(table, line)) {
        unsigned remote_port = 0;
        unsigned state = 0;
        if (std::sscanf(line.c_str(), "%*s %*s %*8x:%4x %2x", &remote_port, &state) == 2)
            count += static_cast<int>(remote_port) == port && (state == 1 || state == 8) ? 1 : 0;
    }
    return count;
}

// The limit of rows that wait for it: time enough for a handshake, also where that is slow.
std::chrono::milliseconds limit_of_waiting() {
    return 500ms * std::min(slower(), 4);
}

// Twenty probes by one worker, each as `row` has it; returns the last message.
std::string hold_out(CatConfig cat, const Row& row) {
    if (row.waits)
        cat.timeout = limit_of_waiting();
    else
        cat.timeout *= slower();
    const std::string expected =
        row.waits ? row.message + number_text(std::chrono::duration<double>(cat.timeout).count()) + " s"
                  : row.message;
    WorkerHarness worker(cat);
    BOOST_TEST_REQUIRE(worker.first_line().starts_with("ready missing="));
    const pid_t pid = worker.child().pid();
    const long peak = peak_kb(pid);
    std::size_t sockets = 0;  // after the first probe: libcurl keeps a pair for itself
    std::string message;
    for (int i = 0; i < kProbes; ++i) {
        const Report report = worker.probe(kSome);
        message = report.message;
        BOOST_TEST(connections_to(pid, cat.own<ServerAddress>().port) == 0);
        sockets = i == 0 ? open_sockets(pid) : sockets;
        BOOST_TEST_REQUIRE(report.verdict == row.verdict, message);
        BOOST_TEST(message.starts_with(expected), message);
        const auto took = std::chrono::microseconds(report.took_us);
        BOOST_TEST((took <= cat.timeout + kMargin * slower()), message << " after " << took.count() << " us");
        BOOST_TEST((!row.waits || took >= cat.timeout - 50ms), message << " after " << took.count() << " us");
    }
    const long grown = peak_kb(pid) - peak;
    BOOST_TEST((grown < kMaxGrowthKb || kSanitized), grown << " kB");
    // One that is shut down may wait for libcurl's next turn.
    BOOST_TEST(open_sockets(pid) <= sockets + 1);
    BOOST_TEST_MESSAGE(cat.type->subject(cat) << ": +" << grown << " kB, '" << message << "'");
    return message;
}

template <class Rows> void hold_out_all(const Rows& rows) {
    Authority authority;
    const WebServer clear;
    const WebServer encrypted(authority.issue());
    for (const Row& row : rows)
        BOOST_TEST_CONTEXT(row.path) {
            hold_out(http_cat(clear.port(), row.path), row);
            hold_out(https_cat(encrypted.port(), authority.ca_file(), row.path), row);
        }
    // Nothing else was asked for: no redirect was followed.
    BOOST_TEST(clear.requests().size() == std::size(rows) * kProbes);
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_answer_without_end_is_cut_off_and_never_kept) {
    hold_out_all(kEndless);
}

BOOST_AUTO_TEST_CASE(a_silent_server_costs_the_time_limit_and_no_more) {
    hold_out_all(kSilent);
}

BOOST_AUTO_TEST_CASE(a_server_that_drips_costs_the_time_limit_and_no_more) {
    hold_out_all(kSlow);
}

BOOST_AUTO_TEST_CASE(a_broken_answer_is_a_failure_at_once) {
    hold_out_all(kBroken);
    const WebServer server;
    BOOST_TEST(hold_out(http_cat(server.port(), "/close"), kBroken[1]) ==
               "the connection was closed without an answer");
}

BOOST_AUTO_TEST_CASE(a_body_that_drips_or_ends_early_is_an_answer_like_any_other) {
    const Row rows[] = {{"/drip", Verdict::success, "HTTP 200 in "},
                        {"/short", Verdict::success, "HTTP 200 in "}};
    hold_out_all(rows);
}

BOOST_AUTO_TEST_CASE(a_redirect_is_an_answer_wherever_it_leads) {
    hold_out_all(kRedirects);
}

BOOST_AUTO_TEST_CASE(each_kind_of_bad_tls_is_a_failure_with_words_of_its_own) {
    Authority authority;
    Authority stranger;
    const WebServer good(authority.issue());
    const WebServer expired(authority.issue({.first_day = -3, .last_day = -1}));
    const WebServer early(authority.issue({.first_day = 1}));
    const WebServer self_signed(authority.issue({.self_signed = true}));
    const WebServer unknown(stranger.issue());
    const WebServer other_name(authority.issue({.names = "DNS:other.example,IP:127.0.0.2"}));
    const WebServer old(authority.issue(), "TLSv1_1");
    const WebServer plain;
    const RawServer slams([](int) {});
    const Listener silent(AF_INET, 4 * kProbes);
    struct TlsRow {
        int port;
        Row row;
    };
    const TlsRow rows[] = {
        {expired.port(),
         {"", Verdict::failure, "TLS: the server's certificate, or one above it, has expired"}},
        {early.port(),
         {"", Verdict::failure, "TLS: the server's certificate, or one above it, is not valid yet"}},
        {self_signed.port(), {"", Verdict::failure, "TLS: the server's certificate is self-signed"}},
        {unknown.port(),
         {"", Verdict::failure, "TLS: the server's certificate is of an authority that is not trusted here"}},
        {other_name.port(), {"", Verdict::failure, "TLS: the server's certificate is not for '127.0.0.1'"}},
        {old.port(), {"", Verdict::failure, "TLS: the server knows no version of TLS from 1.2 on"}},
        {plain.port(), {"", Verdict::failure, "TLS: what listens there does not speak TLS"}},
        {slams.port(), {"", Verdict::failure, "TLS: the connection was closed during the handshake"}},
        {silent.port(),
         {"", Verdict::failure, "TLS: connected, but the handshake was not over within ", true}},
    };
    std::set<std::string> messages;
    for (const auto& [port, row] : rows)
        BOOST_TEST_CONTEXT(row.message) messages.insert(hold_out(https_cat(port, authority.ca_file()), row));
    BOOST_TEST(messages.size() == std::size(rows));
    hold_out(https_cat(good.port(), authority.ca_file()), {"", Verdict::success, "HTTP 200 in "});
}

BOOST_AUTO_TEST_CASE(a_server_that_wants_tls_and_gets_none_is_a_failure) {
    Authority authority;
    const WebServer server(authority.issue());
    hold_out(http_cat(server.port()), {"", Verdict::failure, ""});
}

BOOST_AUTO_TEST_CASE(a_tcp_check_asks_for_no_more_than_a_connection) {
    Authority authority;
    const WebServer encrypted(authority.issue());
    const RawServer slams([](int) {});
    const Listener silent(AF_INET, 4 * kProbes);
    for (const int port : {encrypted.port(), slams.port(), silent.port()}) {
        CatConfig cat = https_cat(port, authority.ca_file());
        cat.set_type(kTcpCheck);
        cat.own<ServerAddress>().host = "127.0.0.1";
        cat.own<ServerAddress>().port = port;
        hold_out(cat, {"", Verdict::success, "connected in "});
    }
}

BOOST_AUTO_TEST_SUITE_END()
