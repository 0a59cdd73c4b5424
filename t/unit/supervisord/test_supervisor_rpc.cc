// What supervisord, or whatever else listens there, may answer.
#include "common/system/unique_fd.h"
#include "master/supervisord/rpc.h"
#include "t/fixture/basics.h"
#include "t/fixture/slower.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_supervisor_rpc)

namespace {

// Answers every connection on loopback with the same bytes, then closes it. Empty: reads and stays silent.
class Canned {
public:
    explicit Canned(std::string answer) : answer_(std::move(answer)), port_(free_port()) {
        listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int on = 1;
        ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port_));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_.get(), 16) != 0)
            throw std::runtime_error("the canned server cannot listen");
        thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/RPC2"; }

private:
    void serve(const std::stop_token& stop) const {
        while (!stop.stop_requested()) {
            pollfd waiting{listener_.get(), POLLIN, 0};
            if (::poll(&waiting, 1, 50) <= 0)
                continue;
            const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
            const timeval limit{2, 0};
            ::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
            std::string request;
            std::array<char, 4096> buffer;
            pollfd ready{client.get(), POLLIN, 0};
            while (request.find("</methodCall>") == std::string::npos && ::poll(&ready, 1, limit_ms_) > 0) {
                const ssize_t n = ::read(client.get(), buffer.data(), buffer.size());
                if (n <= 0)
                    break;
                request.append(buffer.data(), static_cast<std::size_t>(n));
            }
            for (std::size_t sent = 0; sent < answer_.size();) {
                const ssize_t n =
                    ::send(client.get(), answer_.data() + sent, answer_.size() - sent, MSG_NOSIGNAL);
                if (n <= 0)
                    break;
                sent += static_cast<std::size_t>(n);
            }
            if (answer_.empty())  // until the caller gives up
                (void)::poll(&ready, 1, 5000);
        }
    }

    const std::string answer_;
    const int port_;
    const int limit_ms_ = 2000 * slower();
    UniqueFd listener_;
    std::jthread thread_;
};

std::string http(const std::string& status, const std::string& body, const std::string& headers = {}) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
           "\r\n" + body;
}

CallStatus list_from(const std::string& url, std::chrono::milliseconds limit = 3s) {
    auto endpoint = parse_endpoint(url);
    BOOST_REQUIRE(endpoint);
    const Config config;
    SupervisorRpc supervisor(*endpoint, config, limit);
    std::vector<ProgramLine> programs;
    return supervisor.list(programs);
}

std::string response(const std::string& value) {
    return "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>" + value +
           "</value>\n</param>\n</params>\n</methodResponse>\n";
}

std::string member(const std::string& name, const std::string& value) {
    return "<member>\n<name>" + name + "</name>\n<value>" + value + "</value>\n</member>\n";
}

// As supervisord 4.2 marshals one program.
std::string program(const std::string& group, const std::string& name,
                    const std::string& pid = "<int>42</int>",
                    const std::string& spawn_error = "<string></string>") {
    return "<struct>\n" + member("name", "<string>" + name + "</string>") +
           member("group", "<string>" + group + "</string>") + member("start", "<int>1700000000</int>") +
           member("stop", "<int>0</int>") + member("now", "<int>1700000009</int>") +
           member("state", "<int>20</int>") + member("statename", "<string>RUNNING</string>") +
           member("spawnerr", spawn_error) + member("exitstatus", "<int>3</int>") +
           member("logfile", "<string>/var/log/a.log</string>") +
           member("stdout_logfile", "<string>/var/log/a.log</string>") +
           member("stderr_logfile", "<string>/var/log/b.log</string>") + member("pid", pid) +
           member("description", "<string>pid 42, uptime 0:00:09</string>") + "</struct>\n";
}

std::string list_of(const std::string& programs) {
    return response("<array><data>\n" + programs + "</data></array>");
}

std::string two_thousand_of(const std::string& programs) {
    std::string xml;
    for (int i = 0; i < 2000; ++i)
        xml += "<value>" + programs + "</value>\n";
    return list_of(xml);
}

int list_code(const std::string& xml) {
    std::vector<ProgramLine> programs;
    const CallStatus status = decode_list(xml, programs);
    BOOST_TEST((status.ok() || programs.empty()));
    BOOST_TEST(status.message.empty() == status.ok());
    return status.code;
}

std::string times(int count, const std::string& text) {
    std::string out;
    for (int i = 0; i < count; ++i)
        out += text;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(urls_name_a_socket_or_a_host) {
    const auto local = parse_endpoint("unix:///var/run/supervisor.sock");
    BOOST_REQUIRE(local);
    BOOST_TEST(local->socket_path == "/var/run/supervisor.sock");
    BOOST_TEST(local->shown == "unix:///var/run/supervisor.sock");

    const auto remote = parse_endpoint("http://admin:geheim@[::1]:9001");
    BOOST_REQUIRE(remote);
    BOOST_TEST(!remote->is_unix());
    BOOST_TEST(remote->port == 9001);
    BOOST_TEST(!remote->needs_resolver);
    BOOST_TEST(remote->shown == "http://[::1]:9001/RPC2");
    BOOST_TEST(remote->url == "http://admin:geheim@[::1]:9001/RPC2");

    const auto named = parse_endpoint("https://supervisor.example/RPC2");
    BOOST_REQUIRE(named);
    BOOST_TEST(named->tls);
    BOOST_TEST(named->port == 443);
    BOOST_TEST(named->needs_resolver);
    BOOST_TEST(!parse_endpoint("http://localhost:9001/RPC2")->needs_resolver);
}

BOOST_AUTO_TEST_CASE(urls_that_lead_nowhere_are_refused) {
    for (const std::string url : {"", "unix://", "unix://run/relative.sock", "ftp://host/",
                                  "file:///etc/passwd", "http://", "http://host:99999/"})
        BOOST_TEST(!parse_endpoint(url), url);
    BOOST_TEST(!parse_endpoint("unix:///" + std::string(120, 'x')));
}

BOOST_AUTO_TEST_CASE(a_list_gives_every_program_its_full_name) {
    std::vector<ProgramLine> programs;
    const auto status = decode_list(list_of("<value>" + program("web", "web") + "</value><value>" +
                                            program("pool", "pool_00") + "</value>"),
                                    programs);
    BOOST_TEST(status.code == kCallOk);
    BOOST_REQUIRE(programs.size() == 2U);
    BOOST_TEST(programs[0].name == "web");
    BOOST_TEST(programs[1].name == "pool:pool_00");
    BOOST_TEST(programs[1].pid == 42);
    BOOST_TEST(programs[1].state == kRunning);
    BOOST_TEST(programs[1].start == 1'700'000'000);
    BOOST_TEST(programs[1].now == 1'700'000'009);
    BOOST_TEST(programs[1].exit_status == 3);
}

BOOST_AUTO_TEST_CASE(other_spellings_of_the_same_types_are_understood) {
    ProgramLine found;
    BOOST_TEST(decode_info(response(program("web", "web", "<i4>7</i4>")), found).ok());
    BOOST_TEST(found.pid == 7);
    BOOST_TEST(decode_info(response(program("web", "web", "<i8>8</i8>")), found).ok());
    BOOST_TEST(found.pid == 8);
    BOOST_TEST(
        decode_info(response(program("w", "w", "<int>1</int>", "kein Platz \xc3\xbc &lt;&amp;")), found)
            .ok());
    BOOST_TEST(found.spawn_error == "kein Platz \xc3\xbc <&");
}

BOOST_AUTO_TEST_CASE(two_thousand_programs_fit) {
    const std::string xml = two_thousand_of(program("group-of-programs", "a-program-with-a-longer-name"));
    BOOST_TEST(xml.size() > 1'500'000U);
    std::vector<ProgramLine> programs;
    BOOST_TEST(decode_list(xml, programs).message == "");
    BOOST_TEST(programs.size() == 2000U);
}

BOOST_AUTO_TEST_CASE(wrong_types_are_a_bad_answer) {
    BOOST_TEST(list_code(response("<int>1</int>")) == kCallBadAnswer);
    BOOST_TEST(list_code(list_of("<value><string>x</string></value>")) == kCallBadAnswer);
    BOOST_TEST(list_code(list_of("<value><struct></struct></value>")) == kCallBadAnswer);
    for (const std::string pid :
         {"<string>42</string>", "<int>-1</int>", "<i8>9999999999</i8>", "<double>1.5</double>"})
        BOOST_TEST(list_code(list_of("<value>" + program("web", "web", pid) + "</value>")) == kCallBadAnswer,
                   pid);
    BOOST_TEST(list_code(list_of("<value>" + program("web", "") + "</value>")) == kCallBadAnswer);
}

BOOST_AUTO_TEST_CASE(broken_xml_is_a_bad_answer) {
    const std::string whole = list_of("<value>" + program("web", "web") + "</value>");
    BOOST_REQUIRE(list_code(whole) == kCallOk);
    for (std::size_t cut = 0; cut + 2 < whole.size(); cut += 7)
        BOOST_TEST(list_code(whole.substr(0, cut)) == kCallBadAnswer, cut);
    BOOST_TEST(list_code("<html>supervisor status</html>") == kCallBadAnswer);
    BOOST_TEST(list_code(list_of("\xff\xfe")) == kCallBadAnswer);
    BOOST_TEST(list_code(std::string("\0\0", 2)) == kCallBadAnswer);
}

BOOST_AUTO_TEST_CASE(xml_made_to_hurt_is_refused_before_it_is_parsed) {
    const std::string laughs =
        "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>"
        "<methodResponse><params><param><value>&b;</value></param></params></methodResponse>";
    BOOST_TEST(list_code(laughs) == kCallBadAnswer);
    // Each array takes three levels; parsed, this depth would end the process by recursion.
    BOOST_TEST(list_code(response(times(1'000'000, "<a>"))) == kCallBadAnswer);
    BOOST_TEST(list_code(response(times(200, "<array><data><value>") + "1" +
                                  times(200, "</value></data></array>"))) == kCallBadAnswer);
    BOOST_TEST(list_code(response(times(1'000'000, "<a/>"))) == kCallBadAnswer);
    // A '>' within quotes would let a tag pass for one that closes itself.
    BOOST_TEST(list_code(response(times(100'000, "<a b='/>'>"))) == kCallBadAnswer);
    BOOST_TEST(list_code(response("<![CDATA[<a>]]>")) == kCallBadAnswer);
}

BOOST_AUTO_TEST_CASE(faults_keep_number_and_text) {
    const auto fault = [](const std::string& code) {
        return "<?xml version='1.0'?><methodResponse><fault><value><struct>" +
               member("faultCode", "<int>" + code + "</int>") +
               member("faultString", "<string>BAD_NAME: web\x1b[2J</string>") +
               "</struct></value></fault></methodResponse>";
    };
    const auto clean = [&](const std::string& code) {
        std::string xml = fault(code);
        xml.replace(xml.find('\x1b'), 1, "\xc2\x9b");  // expat refuses ESC, but not this control character
        return xml;
    };
    const CallStatus status = decode_order(clean("10"));
    BOOST_TEST(status.code == kFaultBadName);
    BOOST_TEST(status.message.starts_with("BAD_NAME: web"));
    BOOST_TEST(status.message.find('\x9b') == std::string::npos);
    // Negative codes mean a failed transport here; no server may claim one.
    BOOST_TEST(decode_order(clean("-5")).code == kCallBadAnswer);
    BOOST_TEST(decode_order(clean("0")).code == kCallBadAnswer);
    BOOST_TEST(decode_order(fault("10")).code == kCallBadAnswer);
}

BOOST_AUTO_TEST_CASE(sequences_of_a_terminal_are_taken_out_of_a_log_and_not_out_of_the_xml_around_it) {
    const auto tail = [](const std::string& log) {
        std::string text;
        const CallStatus status = decode_tail(
            response("<array><data>\n<value><string>" + log +
                     "</string></value>\n<value><int>9</int></value>\n<value><boolean>0</boolean></value>\n"
                     "</data></array>"),
            text);
        return status.ok() ? text : "! " + status.message;
    };
    BOOST_TEST(tail("\x1b[31mred\x1b[0m") == "red");
    BOOST_TEST(tail("cut \x1b[31") == "cut ");
    BOOST_TEST(tail("cut \x1b[") == "cut ");
    BOOST_TEST(tail("cut \x1b") == "cut ");
    BOOST_TEST(tail("\x1b]0;title\x07text\x1b]0;cut &amp; open") == "text0;cut & open");
    BOOST_TEST(tail("\x1b[1&lt;m a\x01") == " a?");
    BOOST_TEST(tail("a \xee\x80\x9b[31m b\x1b[0m") == "a \xee\x80\x9b[31m b");
}

BOOST_AUTO_TEST_CASE(an_order_is_answered_by_true) {
    BOOST_TEST(decode_order(response("<boolean>1</boolean>")).ok());
    BOOST_TEST(decode_order(response("<boolean>0</boolean>")).code == kCallBadAnswer);
    BOOST_TEST(decode_order(response("<string>true</string>")).code == kCallBadAnswer);
}

BOOST_AUTO_TEST_CASE(settings_that_an_older_supervisord_does_not_tell_keep_their_defaults) {
    const std::string old = list_of(
        "<value><struct>" + member("name", "<string>a</string>") + member("group", "<string>a</string>") +
        "</struct></value><value><struct>" + member("name", "<string>b</string>") +
        member("group", "<string>g</string>") + member("stopwaitsecs", "<int>30</int>") +
        member("startsecs", "<int>-3</int>") + "</struct></value>");
    SettingsLine settings;
    BOOST_TEST(decode_settings(old, "g:b", settings).ok());
    BOOST_TEST(settings.stopwaitsecs == 30U);
    BOOST_TEST(settings.startsecs == 1U);
    BOOST_TEST(decode_settings(old, "a", settings).ok());
    BOOST_TEST(decode_settings(old, "b", settings).code == kFaultBadName);
}

BOOST_AUTO_TEST_CASE(the_whole_way_over_http) {
    const Canned server(http("200 OK", list_of("<value>" + program("web", "web") + "</value>")));
    BOOST_TEST(list_from(server.url()).message == "");
}

BOOST_AUTO_TEST_CASE(http_errors_are_told_apart) {
    BOOST_TEST(list_from(Canned(http("401 Unauthorized", "")).url()).code == kCallRefused);
    BOOST_TEST(list_from(Canned(http("403 Forbidden", "")).url()).code == kCallRefused);
    BOOST_TEST(list_from(Canned(http("500 Oops", "")).url()).code == kCallBadAnswer);
    BOOST_TEST(list_from(Canned(http("200 OK", "")).url()).code == kCallBadAnswer);
    BOOST_TEST(list_from(Canned("SSH-2.0-OpenSSH_9.2\r\n").url()).code == kCallBadAnswer);
}

BOOST_AUTO_TEST_CASE(a_redirect_is_not_followed) {
    const Canned target(http("200 OK", list_of("")));
    const Canned server(http("302 Found", "", "Location: " + target.url() + "\r\n"));
    BOOST_TEST(list_from(server.url()).code == kCallBadAnswer);
}

BOOST_AUTO_TEST_CASE(an_answer_without_end_is_cut_off) {
    const Canned body("HTTP/1.1 200 OK\r\n\r\n" + std::string(kMaxAnswer + 1'000'000, ' '));
    const CallStatus status = list_from(body.url(), 10s);
    BOOST_TEST(status.code == kCallBadAnswer);
    BOOST_TEST(status.message.find("more than 8 MB") != std::string::npos);
    const Canned headers("HTTP/1.1 200 OK\r\n" + times(20'000, "X-A: bbbbbbbbbbbbb\r\n") + "\r\n");
    BOOST_TEST(list_from(headers.url()).code == kCallBadAnswer);
}

BOOST_AUTO_TEST_CASE(silence_ends_at_the_limit) {
    const Canned server("");
    const auto begin = std::chrono::steady_clock::now();
    const CallStatus status = list_from(server.url(), 300ms);
    BOOST_TEST(status.code == kCallTimeout);
    BOOST_TEST(status.message.find("within 0.3 s") != std::string::npos);
    BOOST_CHECK(std::chrono::steady_clock::now() - begin < 2s * slower());
}

BOOST_AUTO_TEST_CASE(nobody_there_is_unreachable_and_no_password_is_shown) {
    const TempDir dir;
    BOOST_TEST(list_from("unix://" + dir.file("none.sock")).code == kCallUnreachable);
    const CallStatus status =
        list_from("http://admin:geheim@127.0.0.1:" + std::to_string(free_port()) + "/RPC2");
    BOOST_TEST(status.code == kCallUnreachable);
    BOOST_TEST(status.message.find("Connection refused") != std::string::npos);
    BOOST_TEST(status.message.find("geheim") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_text_is_not_sent) {
    SupervisorRpc supervisor(*parse_endpoint("unix:///nonexistent.sock"), Config{});
    ProgramLine found;
    BOOST_TEST(supervisor.info("\xff\xfe", found).code == kCallBadAnswer);
}

BOOST_AUTO_TEST_SUITE_END()
