// The control socket from the moment when its name can be seen.
#include "common/system/unix_socket.h"
#include "master/control/server.h"
#include "t/fixture/basics.h"

#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_control_server)

namespace {

ControlServer::Handler no_answers() {
    return [](const ControlRequest&, const ControlServer::Reply&) {
    };
}

UniqueFd connected(const std::string& path) {
    UniqueFd fd = make_unix_socket();
    return connect_unix(fd, path) == 0 ? std::move(fd) : UniqueFd();
}

// The errno of one connect(2) to `path`, 0 when it succeeds.
int connect_once(const std::string& path) {
    return connect_unix(make_unix_socket(), path);
}

// A socket that was bound, and at which nobody listens. A leftover when the result is dropped.
UniqueFd bound_socket(const std::string& path, int type = SOCK_STREAM) {
    UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const sockaddr_un address = unix_address(path);
    BOOST_TEST_REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

void leave_socket(const std::string& path) {
    bound_socket(path);
}

// What ss(8) shows of the socket that listens at `path`.
std::string bound_name(const std::string& path) {
    const UniqueFd client = connected(path);
    sockaddr_un address{};
    socklen_t size = sizeof address;
    BOOST_TEST_REQUIRE(::getpeername(client.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return address.sun_path;
}

// Runs the loop until `condition` is true, for 20 s at most.
bool run_until(Loop& loop, const std::function<bool()>& condition) {
    const auto end = Clock::now() + 20s;
    bool is_true = false;
    Timer look(loop, [&] {
        is_true = condition();
        if (is_true || Clock::now() > end)
            return loop.stop();
        look.start(10ms);
    });
    look.start(10ms);
    loop.run();
    return is_true;
}

std::ptrdiff_t entries(const std::filesystem::path& folder) {
    const std::filesystem::directory_iterator all(folder);
    return std::distance(begin(all), end(all));
}

bool is_disconnected(const UniqueFd& client) {
    char byte = 0;
    return ::recv(client.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(whoever_sees_the_socket_can_connect_to_it) {
    const TempDir dir;
    const std::string path = dir.file("s");
    std::atomic<bool> is_over{false};
    std::atomic<int> refusals{0};
    std::atomic<int> connections{0};
    std::atomic<int> tries{0};
    std::thread client([&] {
        while (!is_over) {
            const int error = connect_once(path);
            refusals += error == ECONNREFUSED ? 1 : 0;
            connections += error == 0 ? 1 : 0;
            ++tries;
        }
    });
    Loop loop;
    for (int i = 0; i < 500; ++i) {
        ControlServer server(loop, no_answers());
        if (const auto listening = server.listen(path); !listening)
            BOOST_ERROR(listening.error().text());
        ::unlink(path.c_str());
        // Who found the name before it went must have been served: the server refuses when it ends.
        for (const int now = tries; tries < now + 2;)
            std::this_thread::sleep_for(20us);
    }
    is_over = true;
    client.join();
    BOOST_TEST_MESSAGE("connections: " << connections);
    BOOST_TEST(connections > 0);
    BOOST_TEST(refusals == 0);
}

BOOST_AUTO_TEST_CASE(what_an_earlier_daemon_left_is_replaced_and_nothing_is_left_beside_the_socket) {
    const TempDir dir;
    const std::string longest = dir.file(std::string(107 - dir.file("").size(), 's'));
    const std::string deep = dir.file(std::string(105 - dir.file("").size(), 'd')) + "/s";
    std::filesystem::create_directory(std::filesystem::path(deep).parent_path());
    for (const std::string& path : {dir.file("s"), dir.file("s~"), longest, deep}) {
        leave_socket(path);
        Loop loop;
        {
            ControlServer server(loop, no_answers());
            const auto listening = server.listen(path);
            BOOST_TEST_REQUIRE(static_cast<bool>(listening), listening.error().text());
            BOOST_TEST(connect_once(path) == 0, path);
            struct stat status {};
            BOOST_TEST_REQUIRE(::stat(path.c_str(), &status) == 0);
            BOOST_TEST((status.st_mode & 07777) == 0600u);
            ControlServer other(loop, no_answers());
            BOOST_TEST(other.listen(path).error().text() == "another healthcheckd answers at " + path);
        }
        BOOST_TEST(entries(dir.path()) == 1, path);  // the folder of `deep`
        BOOST_TEST(std::filesystem::is_empty(std::filesystem::path(deep).parent_path()));
    }
}

BOOST_AUTO_TEST_CASE(what_is_in_the_way_is_named_and_kept) {
    const TempDir dir;
    const std::string path = dir.file("s");
    Loop loop;
    ControlServer server(loop, no_answers());
    std::ofstream(path) << "text";
    BOOST_TEST(server.listen(path).error().text() == path + " is there and is no socket");
    BOOST_TEST(std::filesystem::file_size(path) == 4u);
    std::filesystem::remove(path);
    const UniqueFd datagrams = bound_socket(path, SOCK_DGRAM);
    BOOST_TEST(server.listen(path).error().text() ==
               "the socket at " + path + " is in the way: Protocol wrong type for socket");
    BOOST_TEST(connect_once(path) == EPROTOTYPE);
}

BOOST_AUTO_TEST_CASE(neighbours_in_one_folder_have_nothing_in_common) {
    const TempDir dir;
    const UniqueFd datagrams = bound_socket(dir.file("~"), SOCK_DGRAM);
    std::ofstream(dir.file("hc~")) << "text";
    Loop loop;
    std::vector<std::unique_ptr<ControlServer>> servers;
    for (const char* name : {"s", "s~", "t", "hc1", "hc2"}) {
        servers.push_back(std::make_unique<ControlServer>(loop, no_answers()));
        const auto listening = servers.back()->listen(dir.file(name));
        BOOST_TEST(static_cast<bool>(listening), listening.error().text());
        BOOST_TEST(bound_name(dir.file(name)).ends_with(std::string("/") + name));
    }
    servers.erase(servers.begin());
    for (const char* name : {"s~", "t", "hc1", "hc2"})
        BOOST_TEST(connect_once(dir.file(name)) == 0, name);
    BOOST_TEST(connect_once(dir.file("~")) == EPROTOTYPE);
    BOOST_TEST(std::filesystem::file_size(dir.file("hc~")) == 4u);
}

BOOST_AUTO_TEST_CASE(neighbours_that_start_at_the_same_time_do_not_disturb_each_other) {
    const TempDir dir;
    const auto starts = [&](const std::string& path) {
        return [path] {
            Loop loop;
            for (int i = 0; i < 1000; ++i) {
                ControlServer server(loop, no_answers());
                if (!server.listen(path) || connect_once(path) != 0)
                    return 1;
            }
            return 0;
        };
    };
    Subprocess first(starts(dir.file("hc1")), {});
    Subprocess second(starts(dir.file("hc2")), {});
    BOOST_TEST(first.wait(60s) == 0);
    BOOST_TEST(second.wait(60s) == 0);
}

BOOST_AUTO_TEST_CASE(at_its_end_a_server_removes_only_its_own_socket) {
    const TempDir dir;
    UniqueFd other;
    {
        Loop loop;
        ControlServer server(loop, no_answers());
        BOOST_TEST_REQUIRE(static_cast<bool>(server.listen(dir.file("s"))));
        std::filesystem::remove(dir.file("s"));
        other = bound_socket(dir.file("s"));
    }
    BOOST_TEST(std::filesystem::exists(dir.file("s")));
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_slow_answer_is_not_the_first_to_go) {
    const TempDir dir;
    Loop loop;
    ControlServer::Reply reply;
    ControlServer server(loop, [&](const ControlRequest&, const ControlServer::Reply& to) { reply = to; });
    BOOST_TEST_REQUIRE(static_cast<bool>(server.listen(dir.file("s"))));
    const UniqueFd patient = connected(dir.file("s"));
    const std::string line(encode(request_of("check", "cat1")).line());
    BOOST_TEST_REQUIRE(::send(patient.get(), line.data(), line.size(), 0) ==
                       static_cast<ssize_t>(line.size()));
    BOOST_TEST_REQUIRE(run_until(loop, [&] { return static_cast<bool>(reply); }));
    std::vector<UniqueFd> silent(32);
    for (UniqueFd& client : silent)
        client = connected(dir.file("s"));
    BOOST_TEST(run_until(loop, [&] { return is_disconnected(silent.front()) || is_disconnected(patient); }));
    BOOST_TEST(!is_disconnected(patient));
    BOOST_TEST(!is_disconnected(silent.back()));
    reply(ControlServer::refusal("done"));
    std::array<char, 100> answer{};
    BOOST_TEST(run_until(loop, [&] { return ::recv(patient.get(), answer.data(), answer.size(), 0) > 0; }));
}

BOOST_AUTO_TEST_SUITE_END()
