// Who decides where the path of supervisord's socket leads: what others could have put there is sent nothing.
#include "common/sandbox/sandbox.h"
#include "master/trust/supervisor_socket.h"
#include "t/fixture/basics.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/impostor.h"
#include "t/fixture/supervisord/link_child.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(e2e_supervisord_socket)

namespace {

constexpr char kWhyRoot[] = "needs root, to have somebody else serve";

constexpr uid_t kStranger = 1234;

// A folder with this mode and owner.
std::string folder(const TempDir& dir, const std::string& name, mode_t mode, uid_t owner = 0) {
    const std::string path = dir.file(name);
    fs::create_directory(path);
    BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
    BOOST_REQUIRE(::chown(path.c_str(), owner, owner) == 0);
    return path;
}

// Root's socket: a process listens as root and answers as `who`.
class HandedOver {
public:
    HandedOver(const std::string& path, uid_t who) {
        fs::permissions(dir_.path(), fs::perms::all);
        process_ = std::make_unique<Subprocess>(
            [&]() -> int {
                const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
                sockaddr_un address{};
                address.sun_family = AF_UNIX;
                path.copy(address.sun_path, sizeof address.sun_path - 1);
                if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
                        0 ||
                    ::listen(listener.get(), 16) != 0 || ::setresuid(who, who, who) != 0)
                    return 1;
                dir_.write("listens", "");
                for (;;) {
                    const UniqueFd client(::accept(listener.get(), nullptr, nullptr));
                    std::array<char, 4096> text;
                    const ssize_t n = ::read(client.get(), text.data(), text.size());
                    if (n > 0)
                        dir_.write("heard", std::string(text.data(), static_cast<std::size_t>(n)));
                }
            },
            Subprocess::Options{});
        BOOST_REQUIRE(wait_until([&] { return fs::exists(dir_.file("listens")); }));
    }
    std::string heard() const { return read_file(dir_.file("heard")); }

private:
    TempDir dir_;
    std::unique_ptr<Subprocess> process_;
};

// What the link says of a supervisord there.
AnswerLine answer_at(const std::string& path, std::optional<uid_t> named = {}) {
    const auto config = link_config("unix://" + path, "admin", "topsecret");
    config->supervisord_owner = named;
    LinkChild link(config);
    return link.call("list").end;
}

std::string refusal(const std::string& path, std::optional<uid_t> named = {}) {
    const auto place = master::find_socket(path, {::geteuid(), named, {}});
    BOOST_TEST((!place.socket || place.refusal.empty()));
    return place.socket ? "" : place.refusal.empty() ? std::to_string(place.error) : place.refusal;
}

}  // namespace

// supervisord itself listens for a FastCGI program, whatever the user of that, and hands it the socket.
BOOST_AUTO_TEST_CASE(a_fastcgi_program_that_moves_its_socket_to_supervisords_place_hears_nothing) {
    need_root(kWhyRoot);
    const passwd* games = ::getpwnam("games");
    if (games == nullptr)
        skip("there is no user games");
    const uid_t uid = games->pw_uid;
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0755));
    const std::string place = folder(dir, "games", 0755, uid);
    dir.write("app.py", "import os, socket\n"
                        "os.rename('" +
                            place + "/app.sock', '" + place +
                            "/sv.sock')\n"
                            "listener = socket.socket(fileno=0)\n"
                            "open('" +
                            place +
                            "/listens', 'w').close()\n"
                            "while True:\n"
                            "    client = listener.accept()[0]\n"
                            "    open('" +
                            place +
                            "/heard', 'ab').write(client.recv(4096))\n"
                            "    client.close()\n");
    const Supervisord supervisord({}, {.raw = "[fcgi-program:app]\ncommand=/usr/bin/python3 " +
                                              dir.file("app.py") + "\nuser=games\nsocket=unix://" + place +
                                              "/app.sock\nstartsecs=0\n"});
    BOOST_REQUIRE(wait_until([&] { return fs::exists(place + "/listens"); }, 20s));
    const auto answer = answer_at(place + "/sv.sock");
    BOOST_TEST(answer.code == kCallRefused);
    BOOST_TEST(has(answer.message, "the folder " + place + " belongs to uid " + std::to_string(uid)),
               answer.message);
    BOOST_TEST(read_file(place + "/heard") == "");
    // Nor is a process killed because its parent listens there.
    const auto known = master::check_supervisor(supervisord.daemon_pid(), place + "/sv.sock", {0, {}, {}});
    BOOST_REQUIRE(!known);
    BOOST_TEST(has(known.error().text(), "can put another socket there"), known.error().text());
}

BOOST_AUTO_TEST_CASE(a_socket_of_roots_that_another_user_has_put_at_the_path_hears_nothing) {
    need_root(kWhyRoot);
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0755));
    const std::string roots = folder(dir, "roots", 0755);
    const std::string sticky = folder(dir, "sticky", 01777);
    const HandedOver other(roots + "/s", kStranger);
    fs::create_symlink(roots + "/s", sticky + "/s");
    fs::create_symlink(roots, sticky + "/d");
    for (const char* link : {"/s", "/d"})
        BOOST_REQUIRE(::lchown((sticky + link).c_str(), kStranger, kStranger) == 0);
    for (const std::string& path : {sticky + "/s", sticky + "/d/s"}) {
        const auto answer = answer_at(path);
        BOOST_TEST(answer.code == kCallRefused);
        BOOST_TEST(has(answer.message, "is a symbolic link"), answer.message);
    }
    // The last name is no link, whoever made it.
    fs::create_symlink(roots + "/s", dir.file("link"));
    BOOST_TEST(has(answer_at(dir.file("link")).message, "is a symbolic link"));
    fs::create_symlink(sticky, dir.file("way"));
    fs::rename(roots + "/s", sticky + "/moved");
    for (const std::string& path : {sticky + "/moved", dir.file("way/moved")}) {
        const auto moved = answer_at(path);
        BOOST_TEST(moved.code == kCallRefused);
        BOOST_TEST(has(moved.message, "was made elsewhere, as " + roots + "/s"), moved.message);
    }
    BOOST_TEST(other.heard() == "");
}

BOOST_AUTO_TEST_CASE(a_folder_that_others_may_change_is_refused_and_said_with_what_to_do) {
    need_root(kWhyRoot);
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0755));
    struct Row {
        mode_t mode;
        uid_t folder, file;
        std::optional<uid_t> named;
        std::string_view said;  // "": it is found
    };
    const Row rows[] = {
        {0755, 0, 0, {}, ""},
        {0755, 0, kStranger, {}, ""},  // as with chown= of supervisord.conf
        {0775, 0, 0, {}, ""},          // root's group
        {0757, 0, 0, {}, "chmod go-w"},
        {01777, 0, 0, {}, ""},
        {01777, 0, kStranger, {}, "the socket belongs to uid 1234"},
        {01777, 0, kStranger, kStranger, ""},
        {0700, kStranger, kStranger, {}, "config.supervisordOwner: 1234"},
        {0700, kStranger, kStranger, kStranger, ""},
        {0700, kStranger, 0, 4321, "config.supervisordOwner: 1234"},
    };
    int n = 0;
    for (const Row& row : rows) {
        const std::string place = folder(dir, std::to_string(++n), row.mode, row.folder);
        const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (place + "/s").copy(address.sun_path, sizeof address.sun_path - 1);
        BOOST_REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        BOOST_REQUIRE(::chown((place + "/s").c_str(), row.file, row.file) == 0);
        const std::string said = refusal(place + "/s", row.named);
        BOOST_TEST((row.said.empty() ? said.empty() : has(said, row.said)), n << ": " << said);
    }
    BOOST_REQUIRE(::chown(dir.file("3").c_str(), 0, kStranger) == 0);
    BOOST_TEST(has(refusal(dir.file("3/s")), "chmod go-w"), "a group of others");
    fs::create_symlink(dir.file("1"), dir.file("way"));
    BOOST_TEST(refusal(dir.file("way/s")) == "");
    BOOST_TEST(refusal(dir.file("1/none")) == std::to_string(ENOENT));
    dir.write("file", "");
    BOOST_TEST(refusal(dir.file("file")) == std::to_string(ECONNREFUSED));
}

// supervisorctl of root's connects there, too. Neither root without capabilities could, nor that user.
BOOST_AUTO_TEST_CASE(a_socket_of_another_user_in_a_folder_that_only_root_may_enter_is_connected_to) {
    need_root(kWhyRoot);
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const auto give_away = [&] {
        BOOST_REQUIRE(::chown(supervisord.socket_path().c_str(), kStranger, kStranger) == 0);
    };
    give_away();
    BOOST_REQUIRE(::chmod(fs::path(supervisord.socket_path()).parent_path().c_str(), 0700) == 0);
    LinkChild link(link_config(supervisord.url()));
    BOOST_REQUIRE(link.read_line().starts_with("ready"));
    const auto client = link.new_client();
    for (int n = 0; n < 2; ++n)
        BOOST_TEST(client->call("list", "", 10s).ok());
    // Another socket takes another connector, for which the link has itself started again.
    supervisord.restart();
    give_away();
    BOOST_TEST(client->call("list", "", 10s).code == kCallUnreachable);
    BOOST_TEST(link.wait() >= 0);
    LinkChild next(link_config(supervisord.url()));
    BOOST_REQUIRE(next.read_line().starts_with("ready"));
    BOOST_TEST(next.new_client()->call("list", "", 10s).ok());
}

BOOST_AUTO_TEST_SUITE_END()
