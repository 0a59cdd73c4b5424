// The control socket from the moment when its name can be seen.
#include "master/control/server.h"
#include "t/fixture/basics.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_control_server)

namespace {

ControlServer::Handler no_answers() {
    return [](const ControlRequest&, const ControlServer::Reply&) {
    };
}

// The errno of one connect(2) to `path`, 0 when it succeeds.
int connect_once(const std::string& path) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

// A leftover: a socket that was bound and at which nobody listens.
void leave_socket(const std::string& path) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    BOOST_TEST_REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(whoever_sees_the_socket_can_connect_to_it) {
    const TempDir dir;
    const std::string path = dir.file("s");
    std::atomic<bool> is_over{false};
    std::atomic<int> refusals{0};
    std::atomic<int> connections{0};
    std::thread client([&] {
        while (!is_over) {
            const int error = connect_once(path);
            refusals += error == ECONNREFUSED ? 1 : 0;
            connections += error == 0 ? 1 : 0;
        }
    });
    Loop loop;
    for (int i = 0; i < 2000; ++i) {
        ControlServer server(loop, no_answers());
        if (const auto listening = server.listen(path); !listening)
            BOOST_ERROR(listening.error().text());
        ::unlink(path.c_str());  // before the server closes it, after which it refuses
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
    for (const std::string& path : {dir.file("s"), dir.file("s~"), longest}) {
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
        BOOST_TEST(std::filesystem::is_empty(dir.path()), path);
    }
}

BOOST_AUTO_TEST_CASE(a_file_in_the_way_is_named_and_kept) {
    const TempDir dir;
    for (const char* name : {"s", "~"}) {
        const std::string in_the_way = dir.file(name);
        std::ofstream(in_the_way) << "text";
        Loop loop;
        ControlServer server(loop, no_answers());
        BOOST_TEST(server.listen(dir.file("s")).error().text() == in_the_way + " is there and is no socket");
        BOOST_TEST(std::filesystem::file_size(in_the_way) == 4u);
        std::filesystem::remove(in_the_way);
    }
}

BOOST_AUTO_TEST_SUITE_END()
