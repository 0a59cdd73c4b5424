// Where the log goes may stop, vanish or come back; the watching goes on.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/open_port.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/supervisord.h"

#include "common/system/unique_fd.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_faults_log)

namespace {

// Cats that make many lines at level debug.
std::string talkative_cats(int count) {
    std::string cats;
    for (int i = 0; i < count; ++i)
        cats +=
            "talk" + std::to_string(i) + ": {program: web, type: mem, periodSeconds: 0.1, action: restart}\n";
    return cats;
}

std::string listener_cat(int port, const std::string& command) {
    return "late: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, action: exec, port: " +
           std::to_string(port) + ", execCmd: '" + command + "'}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(
    a_frozen_supervisord_with_a_full_log_pipe_delays_no_command_and_the_lost_lines_are_counted) {
    const int port = free_port();
    auto listener = std::make_unique<OpenPort>(port);
    const TempDir dir;
    const std::string config = dir.file("config.yaml");
    const std::string stderr_file = dir.file("stderr");
    const std::string mark = dir.file("mark");
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/sleep 1000"},
         {.name = "healthcheckd",
          .command = healthcheckd_binary() + " -v -c " + config,
          .extra = "autostart=false\nstderr_logfile_maxbytes=0\nstderr_logfile=" + stderr_file}});
    dir.write("config.yaml",
              "config: {supervisordUrl: '" + supervisord.url() + "', logDir: " + dir.file("log") +
                  ", stateDir: " + dir.file("state") + ", socket: " + dir.file("s") + "}\n" +
                  talkative_cats(20) + listener_cat(port, "date > " + mark),
              0600);
    BOOST_TEST_REQUIRE(supervisord.ctl({"start", "healthcheckd"}).status == 0);
    const pid_t pid = supervisord.pid("healthcheckd");
    BOOST_TEST_REQUIRE(pid > 1);
    BOOST_TEST_REQUIRE(wait_until(
        [&] { return read_file(stderr_file).find("[late web] starting -> healthy") != std::string::npos; },
        20s));

    supervisord.signal(SIGSTOP);
    // 20 cats write 20 KB a second, and a table of 3 KB each time that it is asked for, into a pipe of 64 KB
    // and a buffer of 256 KB.
    for (int i = 0; i < 150; ++i) {
        send_signal(pid, SIGUSR1);
        (void)stays([] { return true; }, 20ms);
    }
    const auto closed = std::chrono::steady_clock::now();
    listener.reset();
    BOOST_TEST_REQUIRE(wait_until([&] { return std::filesystem::exists(mark); }, 10s));
    // Three ticks of 0.2 s, the last one within the third period.
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - closed;
    BOOST_TEST(took.count() < 2 * slower());
    BOOST_TEST(alive(pid));

    const std::size_t before = read_file(stderr_file).size();
    supervisord.signal(SIGCONT);
    const auto logged = [&](const std::string& text) {
        return wait_until([&] { return read_file(stderr_file).find(text, before) != std::string::npos; },
                          20s);
    };
    BOOST_TEST(logged(" log lines were dropped: the reader of standard error did not keep up"));
    const std::string log = read_file(stderr_file);
    const std::size_t end = log.find(" log lines were dropped");
    const std::size_t begin = log.rfind(' ', end - 1);
    BOOST_TEST(std::stoi(log.substr(begin, end - begin)) > 100);
    // And all is well again.
    BOOST_TEST(supervisord.wait_state("healthcheckd", "RUNNING"));
    BOOST_TEST(supervisord.pid("healthcheckd") == pid);
    const std::size_t now = read_file(stderr_file).size();
    BOOST_TEST(wait_until(
        [&] { return read_file(stderr_file).find("[talk7 web] success", now) != std::string::npos; }, 10s));
    // No line is torn: each begins with its time.
    std::istringstream lines(read_file(stderr_file));
    for (std::string line; std::getline(lines, line);)
        BOOST_TEST((line.size() > 25 && line[4] == '-' && line[10] == ' '), line);
}

BOOST_AUTO_TEST_CASE(a_log_reader_that_goes_away_stops_nothing_and_one_that_comes_back_reads_on) {
    const TempDir dir;
    const std::string fifo = dir.file("fifo");
    const std::string mark = dir.file("mark");
    BOOST_TEST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    UniqueFd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    const int port = free_port();
    auto listener = std::make_unique<OpenPort>(port);
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(
        supervisord.url(), talkative_cats(2) + listener_cat(port, "date > " + mark),
        {.arguments = {"-v"}, .wrapper = {"/bin/sh", "-c", "exec 2>" + fifo + "; exec \"$@\"", "sh"}});
    std::string text;
    const auto read_until = [&](const std::string& wanted) {
        return wait_until(
            [&] {
                std::string bytes(65536, '\0');
                for (ssize_t n; (n = ::read(reader.get(), bytes.data(), bytes.size())) > 0;)
                    text.append(bytes, 0, static_cast<std::size_t>(n));
                return text.find(wanted) != std::string::npos;
            },
            20s);
    };
    BOOST_TEST_REQUIRE(read_until("[late web] starting -> healthy"));
    reader.reset();
    listener.reset();
    BOOST_TEST(wait_until([&] { return std::filesystem::exists(mark); }, 5s));
    BOOST_TEST(daemon.state("talk0")["state"] == "healthy");
    const auto probes = daemon.state("talk0")["probes"].get<int>();
    BOOST_TEST(
        daemon.wait_for_state("talk0", [&](const auto& state) { return state["probes"] > probes + 10; }));
    text.clear();
    reader.reset(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    BOOST_TEST(read_until("[talk1 web] success"));
    BOOST_TEST(daemon.stop().status == 0);
}

BOOST_AUTO_TEST_CASE(a_full_pipe_that_another_user_made_stops_no_probe) {
    // As supervisord makes it, which runs as root, for a program with `user=`.
    need_root("needs root, to make a pipe for another user");
    const TempDir dir;
    const std::string fifo = dir.file("fifo");
    BOOST_TEST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const UniqueFd reader(::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    BOOST_TEST_REQUIRE(::fcntl(reader.get(), F_SETPIPE_SZ, 4096) > 0);
    for (const char* folder : {"log", "state"}) {
        std::filesystem::create_directory(dir.file(folder));
        std::filesystem::permissions(dir.file(folder), std::filesystem::perms::all);
    }
    const std::string config = dir.write(
        "config.yaml", "config: {supervisordUrl: 'unix:///nonexistent/s.sock', logDir: " + dir.file("log") +
                           ", stateDir: " + dir.file("state") + ", socket: " + dir.file("s") +
                           "}\nmem: {program: system, type: mem, maxMem: 100000000, "
                           "periodSeconds: 0.1, action: email}\n");
    const Subprocess daemon(
        {"/bin/sh", "-c",
         "exec 2>" + fifo + "; exec setpriv --reuid 12345 --regid 12345 --clear-groups \"$@\"", "sh",
         healthcheckd_binary(), "-v", "-c", config});
    const auto probes = [&] {
        const std::string log = read_file(dir.file("log") + "/mem.log");
        return std::count(log.begin(), log.end(), '\n');
    };
    // A line for each on stderr too: 4 KiB are full after some forty.
    BOOST_TEST(wait_until([&] { return probes() > 80; }, 30s));
    std::string text;
    BOOST_TEST(wait_until(
        [&] {
            std::string bytes(4096, '\0');
            for (ssize_t n; (n = ::read(reader.get(), bytes.data(), bytes.size())) > 0;)
                text.append(bytes, 0, static_cast<std::size_t>(n));
            return std::count(text.begin(), text.end(), '\n') > 80;
        },
        30s));
}

BOOST_AUTO_TEST_CASE(a_log_file_on_a_full_disk_goes_on_when_there_is_room_and_the_lost_lines_are_counted) {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        skip("needs root and a mount namespace of its own");
    const TempDir dir;
    const std::string disk = dir.file("disk");
    std::filesystem::create_directory(disk);
    if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=16k") != 0)
        skip("no tmpfs can be mounted here");
    const std::string log = disk + "/log";
    std::ofstream(disk + "/filler") << std::string(8192, 'x');
    Daemon daemon(
        "unix:///nonexistent/s.sock",
        "mem: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.1, action: email}\n",
        {.arguments = {"-v"}, .wrapper = {"/bin/sh", "-c", "exec 2>>" + log + "; exec \"$@\"", "sh"}});
    // Full in the middle of a line: 8 KiB are a whole number of pages, but of no lines.
    BOOST_TEST_REQUIRE(wait_until([&] { return read_file(log).size() == 8192; }, 30s));
    BOOST_TEST(!read_file(log).ends_with('\n'));
    const auto probes = daemon.cat_log("mem").size();
    BOOST_TEST(wait_until([&] { return daemon.cat_log("mem").size() > probes + 1000; }));
    std::filesystem::remove(disk + "/filler");
    BOOST_TEST(wait_until([&] {
        return read_file(log).find(" log lines were dropped: the file that is standard error could not be "
                                   "written") != std::string::npos;
    }));
    std::istringstream lines(read_file(log).substr(8192 + 1));
    for (std::string line; std::getline(lines, line) && !lines.eof();)
        BOOST_TEST((line.size() > 25 && line[4] == '-' && line[10] == ' '), line);
    BOOST_TEST(daemon.stop().status == 0);
    umount2(disk.c_str(), MNT_DETACH);
}

BOOST_AUTO_TEST_SUITE_END()
