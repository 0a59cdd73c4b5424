#include "t/fixture/checks.h"
#include "worker/entry.h"

#include "common/sandbox/landlock.h"
#include "common/wire/channel.h"
#include "t/fixture/basics.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/skip.h"
#include "worker/log.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sys/stat.h>

// What all workers have in common: log, control channel, searched processes. The test is the master, so its
// own children are never found; programs to be found are started by a process that has gone.

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_worker)

namespace {

CatConfig cat_of(const CheckType& type) {
    CatConfig cat;
    cat.set_type(type);
    cat.name = "cat1";
    cat.program = "gateway";
    return cat;
}

// A process that is no child of the test, under a name of its own; ended by the destructor.
class Stranger {
public:
    Stranger(const TempDir& dir, const std::string& name) {
        const std::string script =
            dir.write(name, "#!/bin/sh\nexec 3<>" + dir.file("never") + "\nread x <&3\n", 0755);
        ::mkfifo(dir.file("never").c_str(), 0600);
        const std::string pid_file = dir.file(name + ".pid");
        // setsid(1) and the background make it an orphan as soon as this shell ends.
        run_command(
            {"/bin/sh", "-c", "setsid " + script + " </dev/null >/dev/null 2>&1 & echo $! > " + pid_file});
        BOOST_TEST_REQUIRE(wait_until([&] {
            pid_ = std::atoi(read_file(pid_file).c_str());
            return pid_ > 1 &&
                   read_file("/proc/" + std::to_string(pid_) + "/comm") == name.substr(0, 15) + "\n";
        }));
        process_ = identify(pid_);
    }
    ~Stranger() { end(); }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;

    void end() const {
        if (identify(pid_) == process_)
            send_signal(pid_, SIGKILL);
        wait_until([&] {
            return identify(pid_) != process_ ||
                   read_file("/proc/" + std::to_string(pid_) + "/stat").find(") Z ") != std::string::npos;
        });
    }
    ProcessId process() const { return process_; }

private:
    pid_t pid_ = 0;
    ProcessId process_;
};

std::string unique_name(const std::string& stem) {
    return stem + std::to_string(::getpid() % 100000);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_check_type_has_its_row) {
    for (const CheckType* type : {&kHttpCheck, &kTcpCheck, &kMemCheck, &kCpuCheck, &kRestartCheck})
        BOOST_TEST((find_check_type(type->name) == type));
    BOOST_TEST(check_types().size() >= 5u);
}

BOOST_AUTO_TEST_CASE(each_measure_has_its_file_of_proc) {
    CatConfig cat = cat_of(kMemCheck);
    BOOST_TEST(cat.measured_file() == "statm");
    cat.own<MemCheck>().mem_type = MemType::pss;
    BOOST_TEST(cat.measured_file() == "smaps_rollup");
    cat.set_type(kCpuCheck);
    BOOST_TEST(cat.measured_file() == "stat");
    cat.program = "system";
    BOOST_TEST(cat.measured_file() == "");
    BOOST_TEST(cat_of(kHttpCheck).measured_file() == "");
}

BOOST_AUTO_TEST_CASE(the_end_of_the_control_channel_ends_the_worker) {
    WorkerHarness worker(cat_of(kRestartCheck));
    BOOST_TEST(worker.first_line().starts_with("ready missing="));
    worker.child().close_control();
    BOOST_TEST(worker.child().end() == "exit 0");
}

BOOST_AUTO_TEST_CASE(a_line_that_is_no_command_ends_the_worker_with_the_reason) {
    WorkerHarness worker(cat_of(kRestartCheck));
    BOOST_TEST_REQUIRE(static_cast<bool>(send_packet(worker.child().control(), "prob\x1b seq=1\n")));
    BOOST_TEST(worker.child().line().value_or("").starts_with("broken msg=control channel: not understood"));
    BOOST_TEST(worker.child().end() == "exit 1");
}

BOOST_AUTO_TEST_CASE(the_log_says_the_confinement_and_every_probe) {
    CatConfig cat = cat_of(kRestartCheck);
    cat.name = "cat1/web_00";
    WorkerHarness worker(cat);
    (void)worker.probe({123, 1}, "RUNNING", 2);
    (void)worker.probe({123, 1});
    const std::string path = worker.dir().file("log/cat1%2Fweb_00.log");
    // A line is written after its report.
    wait_until([&] { return read_file(path).find("success") != std::string::npos; });
    const std::string log = read_file(path);
    BOOST_TEST(log.find("[cat1/web_00 gateway] confined as restart: user ") != std::string::npos, log);
    BOOST_TEST(log.find(" warning [cat1/web_00 gateway] failure: 2 restarts since the last check (took ") !=
                   std::string::npos,
               log);
    BOOST_TEST(log.find(", pid 123, value 2 restarts, limit 1)\n") != std::string::npos, log);
    BOOST_TEST(log.find(" info [cat1/web_00 gateway] success: no restart") != std::string::npos, log);
    struct stat status {};
    BOOST_TEST(::stat(path.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 07777 & ~0640u) == 0u);
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_opened_does_not_keep_a_worker_from_checking) {
    const TempDir dir;
    Config config;
    config.log_dir = dir.write("file", "") + "/below";
    const CatConfig cat = cat_of(kRestartCheck);
    Forked child([&](pid_t parent) {
        return worker::run_worker({config, cat, cat.name, cat.program, parent});
    });
    BOOST_TEST(child.line().value_or("").starts_with("ready missing="));
    // Said to the master once.
    BOOST_TEST(child.line().value_or("") == "unlogged msg=open " + dir.file("file") + ": Not a directory");
    for (std::uint64_t seq = 1; seq <= 2; ++seq) {
        BOOST_TEST_REQUIRE(static_cast<bool>(
            send_packet(child.control(), encode(ProbeCommand{seq, {123, 1}, 0, "RUNNING"}).line())));
        BOOST_TEST(child.line().value_or("").starts_with("success seq="));
    }
}

BOOST_AUTO_TEST_CASE(a_log_for_which_no_new_file_comes_is_asked_for_again_and_does_not_grow_for_ever) {
    const TempDir dir;
    worker::WorkerLog log(who_of("cat1", "gateway"), LogFormat::text, 100, 200ms);
    log.open(dir.file("a.log"));
    log.write(LogLevel::info, std::string(200, 'x'));
    BOOST_TEST(log.wants_rotation());
    BOOST_TEST(!log.wants_rotation());
    BOOST_TEST(wait_until([&] { return log.wants_rotation(); }));
    BOOST_TEST(!log.wants_rotation());

    Config config;
    config.log_dir = dir.file("log");
    config.log_max_bytes = 400;
    const CatConfig cat = cat_of(kRestartCheck);
    Forked child([&](pid_t parent) {
        ::signal(SIGXFSZ, SIG_IGN);
        return worker::run_worker({config, cat, cat.name, cat.program, parent});
    });
    bool told = false;
    for (std::uint64_t seq = 0; seq < 1500 && !told;) {
        const std::string line = child.line().value_or("?");
        BOOST_TEST_REQUIRE(line != "?");
        told = line.starts_with("unlogged msg=") && line.ends_with("File too large");
        if (!line.starts_with("rotate"))
            (void)send_packet(child.control(), encode(ProbeCommand{++seq, {123, 1}, 0, "RUNNING"}).line());
    }
    BOOST_TEST(told);
    BOOST_TEST(read_file(dir.file("log") + "/cat1.log").size() == 800U + 65536);
}

BOOST_AUTO_TEST_CASE(a_log_that_is_far_too_large_from_the_start_is_rotated_without_a_complaint) {
    const TempDir dir;
    Config config;
    config.log_dir = dir.path().string();
    config.log_max_bytes = 400;
    dir.write("cat1.log", std::string(100'000, 'x'));
    const CatConfig cat = cat_of(kRestartCheck);
    Forked child([&](pid_t parent) {
        ::signal(SIGXFSZ, SIG_IGN);
        return worker::run_worker({config, cat, cat.name, cat.program, parent});
    });
    BOOST_TEST(child.line().value_or("").starts_with("ready missing="));
    const auto probe = [&](std::uint64_t seq) {
        return send_packet(child.control(), encode(ProbeCommand{seq, {123, 1}, 0, "RUNNING"}).line());
    };
    BOOST_TEST_REQUIRE(static_cast<bool>(probe(1)));
    BOOST_TEST(child.line().value_or("").starts_with("success seq=1 "));
    BOOST_TEST(child.line().value_or("") == "rotate");
    // It has been asked for; when nothing comes of it, that must be known.
    BOOST_TEST_REQUIRE(static_cast<bool>(probe(2)));
    BOOST_TEST(child.line().value_or("").starts_with("success seq=2 "));
    BOOST_TEST(child.line().value_or("").ends_with("File too large"));
}

BOOST_AUTO_TEST_CASE(a_full_log_asks_for_its_rotation_once_and_goes_on_in_the_new_file) {
    const TempDir dir;
    Config config;
    config.log_dir = dir.file("log");
    config.log_max_bytes = 400;
    const CatConfig cat = cat_of(kRestartCheck);
    Forked child([&](pid_t parent) {
        return worker::run_worker({config, cat, cat.name, cat.program, parent});
    });
    BOOST_TEST_REQUIRE(child.line().value_or("").starts_with("ready missing="));
    int rotations = 0;
    std::uint64_t seq = 0;
    const auto probe = [&] {
        BOOST_TEST_REQUIRE(static_cast<bool>(
            send_packet(child.control(), encode(ProbeCommand{++seq, {123, 1}, 0, "RUNNING"}).line())));
        for (std::string line = child.line().value_or("?");; line = child.line().value_or("?")) {
            BOOST_TEST_REQUIRE(line != "?");
            if (line.starts_with("success "))
                break;
            rotations += line == "rotate";
        }
    };
    for (int i = 0; i < 10; ++i)
        probe();
    BOOST_TEST(rotations == 1);
    const std::string fresh = dir.write("fresh", "");
    const UniqueFd file(::open(fresh.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    BOOST_TEST_REQUIRE(static_cast<bool>(send_packet(child.control(), encode(NewLog{}).line(), file.get())));
    probe();
    BOOST_TEST(wait_until([&] { return read_file(fresh).find("success") != std::string::npos; }));
    for (int i = 0; i < 10; ++i)
        probe();
    BOOST_TEST(rotations == 2);
}

BOOST_AUTO_TEST_CASE(a_worker_finds_its_process_by_name_and_asks_for_the_descriptor_once) {
    const TempDir dir;
    const std::string name = unique_name("hcdw");
    const Stranger program(dir, name);
    CatConfig cat = cat_of(kMemCheck);
    cat.program = name;
    cat.pid_get = PidGet::name;
    cat.own<MemCheck>().max_mem_mb = 100000;
    WorkerHarness worker(cat);
    BOOST_TEST(worker.first_line().starts_with("ready missing="));
    for (int i = 0; i < 3; ++i) {
        const Report report = worker.probe();
        BOOST_TEST(report.verdict == Verdict::success, report.message);
        BOOST_TEST((report.process == program.process()));
        BOOST_TEST(report.value > 0.1);
    }
    program.end();
    BOOST_TEST(wait_until([&] { return worker.probe().verdict == Verdict::idle; }));
    BOOST_TEST(worker.probe().message ==
               "no process of user 0 goes by the name " + name + " (pidUser: names another user)");
}

BOOST_AUTO_TEST_CASE(a_worker_follows_its_pid_file_to_the_next_process) {
    const TempDir dir;
    CatConfig cat = cat_of(kCpuCheck);
    cat.pid_get = PidGet::file;
    cat.pid_file = dir.file("app.pid");
    WorkerHarness worker(cat);
    BOOST_TEST(worker.probe().verdict == Verdict::idle);
    for (const char* stem : {"hcda", "hcdb"}) {
        const Stranger program(dir, unique_name(stem));
        std::filesystem::remove(cat.pid_file);
        dir.write("app.pid", std::to_string(program.process().pid) + "\n");
        const Report report = worker.probe();
        BOOST_TEST(report.verdict == Verdict::success, report.message);
        BOOST_TEST((report.process == program.process()));
    }
    std::filesystem::remove(cat.pid_file);
    dir.write("app.pid", std::to_string(::getpid()));
    const Report own = worker.probe();
    BOOST_TEST(own.verdict == Verdict::unknown);
    BOOST_TEST(own.message.find("healthcheckd itself") != std::string::npos, own.message);
}

// The master cannot open the file while the process hangs in execve(2), and may say so after the probe has given up.
BOOST_AUTO_TEST_CASE(a_late_answer_without_a_descriptor_keeps_no_later_probe_from_asking_for_one) {
    const TempDir dir;
    const Stranger program(dir, unique_name("hcdl"));
    CatConfig cat = cat_of(kCpuCheck);
    cat.pid_get = PidGet::file;
    cat.pid_file = dir.write("app.pid", std::to_string(program.process().pid) + "\n");
    WorkerHarness worker(cat);
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST_REQUIRE(
            bool(send_packet(worker.child().control(), encode(Track{program.process()}).line())));
        const Report report = worker.probe();
        BOOST_TEST(report.verdict == Verdict::success, report.message);
    }
}

BOOST_AUTO_TEST_CASE(a_pid_file_for_a_group_only_is_read_by_a_worker_of_that_group) {
    need_root("needs root, to give files away");
    constexpr gid_t kGroup = 61999;
    const TempDir dir;
    const Stranger program(dir, unique_name("hcdg"));
    CatConfig cat = cat_of(kCpuCheck);
    cat.pid_get = PidGet::file;
    const auto write_file = [&] {
        cat.pid_file = dir.write("app.pid", " 000" + std::to_string(program.process().pid) + " \n/srv/app\n");
        BOOST_TEST_REQUIRE(::chown(cat.pid_file.c_str(), 0, kGroup) == 0);
        BOOST_TEST_REQUIRE(::chmod(cat.pid_file.c_str(), 0660) == 0);
    };
    write_file();
    {
        WorkerHarness worker(cat);
        const Report report = worker.probe();
        BOOST_TEST(report.verdict == Verdict::success, report.message);
        BOOST_TEST((report.process == program.process()));
    }
    // One that came to be there later takes a new worker.
    std::filesystem::remove(cat.pid_file);
    WorkerHarness worker(cat);
    BOOST_TEST(worker.probe().verdict == Verdict::idle);
    write_file();
    const Report report = worker.probe();
    BOOST_TEST(report.message.find("broken msg=pid file") == 0u, report.message);
    BOOST_TEST(report.message.find("is for another group") != std::string::npos, report.message);
    BOOST_TEST(worker.child().end() == "exit 1");
}

BOOST_AUTO_TEST_CASE(a_worker_whose_pid_files_folder_was_replaced_makes_way_for_a_new_one) {
    const TempDir dir;
    std::filesystem::create_directory(dir.file("run"));
    CatConfig cat = cat_of(kCpuCheck);
    cat.pid_get = PidGet::file;
    cat.pid_file = dir.file("run/app.pid");
    WorkerHarness worker(cat);
    BOOST_TEST(worker.probe().verdict == Verdict::idle);
    // The old folder stays, so that the new one gets another inode.
    std::filesystem::rename(dir.file("run"), dir.file("old"));
    std::filesystem::create_directory(dir.file("run"));
    dir.write("run/app.pid", "12345\n");
    if (landlock_abi() == 0)
        skip("no Landlock: a new folder needs no new worker");
    const Report report = worker.probe();
    BOOST_TEST(report.message.find("broken msg=the folder of pid file") == 0u, report.message);
    BOOST_TEST(worker.child().end() == "exit 1");
}

BOOST_AUTO_TEST_CASE(a_master_that_does_not_answer_makes_the_probe_unknown_in_time) {
    const TempDir dir;
    const std::string name = unique_name("hcdx");
    const Stranger program(dir, name);
    CatConfig cat = cat_of(kMemCheck);
    cat.program = name;
    cat.pid_get = PidGet::name;
    WorkerHarness worker(cat);
    BOOST_TEST_REQUIRE(static_cast<bool>(
        send_packet(worker.child().control(), encode(ProbeCommand{9, {}, 0, "RUNNING"}).line())));
    BOOST_TEST(worker.child().line().value_or("").starts_with("open pid="));
    WorkerLine line;
    BOOST_TEST_REQUIRE(decode(worker.child().line(5s).value_or(""), line));
    const auto* report = std::get_if<Report>(&line);
    BOOST_TEST_REQUIRE(report != nullptr);
    BOOST_TEST(report->verdict == Verdict::unknown);
    BOOST_TEST(report->took_us < 2'000'000u);
    BOOST_TEST(report->message.find("could not be opened within 1 s") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_worker_works_the_same_at_each_level_of_the_sandbox) {
    const WebServer server;
    for (const SandboxLevel level : {SandboxLevel::strict, SandboxLevel::log, SandboxLevel::off}) {
        CatConfig cat = cat_of(kHttpCheck);
        cat.own<ServerAddress>().host = "127.0.0.1";
        cat.own<ServerAddress>().port = server.port();
        WorkerHarness worker(cat, {}, level);
        BOOST_TEST(worker.first_line().starts_with("ready missing="));
        BOOST_TEST(worker.probe({123, 1}).verdict == Verdict::success);
        BOOST_TEST(worker.other_lines().empty());
    }
}

BOOST_AUTO_TEST_CASE(a_sandbox_that_cannot_be_entered_ends_the_worker_with_the_step) {
    const TempDir dir;
    Config config;
    config.log_dir = dir.file("log");
    const CatConfig cat = cat_of(kRestartCheck);
    Forked child([&](pid_t) { return worker::run_worker({config, cat, cat.name, cat.program, 1}); });
    BOOST_TEST(child.line().value_or("") == "broken msg=sandbox: parent-death signal: the master is gone");
    BOOST_TEST(child.end() == "exit 1");
}

BOOST_AUTO_TEST_SUITE_END()
