// The process reader: what it finds out, and that one which hangs costs the others a moment.
#include "common/file/durable_file.h"
#include "common/proc/proc_stat.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_reader.h"
#include "master/reader/process_reader.h"
#include "master/reader/process_reader_child.h"
#include "t/fixture/basics.h"
#include "t/fixture/process/frozen_disk.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <sys/socket.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_process_reader)

namespace {

constexpr pid_t kNoProcess = 0x3fffff;
constexpr pid_t kHanging = 0x3ffffe;

struct Lab {
    explicit Lab(ProcessReader::Main main = run_process_reader)
        : reader(loop, spawner, layers, SandboxLevel::strict, std::move(main)),
          end(loop, [this] { loop.stop(); }) {}

    // Runs until `answers` of what was asked have come, or the time is over.
    void run(std::size_t answers, std::chrono::milliseconds limit = 5s) {
        wanted = answers;
        end.start(limit);
        if (got < wanted)
            loop.run();
    }
    auto keep(Result<ProcessReader::Process>& place) {
        return [this, &place](Result<ProcessReader::Process> answer) {
            place = std::move(answer);
            count();
        };
    }
    void count() {
        if (++got >= wanted)
            loop.stop();
    }

    Loop loop;
    Spawner spawner{loop};
    LayerNotes layers;
    ProcessReader reader;
    Timer end;
    std::size_t wanted = 0;
    std::size_t got = 0;
};

// Answers for each process, after `look` at it, which may hang.
int answer_after(const std::function<void(pid_t)>& look) {
    (void)write_line(kReportFd, encode(Ready{}).line());
    for (;;) {
        const auto packet = receive_packet(kControlFd, std::chrono::milliseconds(-1));
        ReaderCommand command;
        if (!packet || !*packet || !decode((*packet)->line, command))
            return 0;
        const auto& question = std::get<Identify>(command);
        look(question.pid);
        (void)send_packet(kControlFd, encode(ProcessLine{question.seq, 7, 1}).line());
    }
}

// Hangs at one process and answers for any other.
int hang_at_one(SandboxLevel, const ChildUser&, pid_t) {
    return answer_after([](pid_t pid) {
        if (pid == kHanging)
            ::pause();
    });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_process_is_identified_and_one_that_is_not_there_is_told) {
    const Subprocess process({"/bin/sleep", "100"});
    Lab lab;
    Result<ProcessReader::Process> found = Error{"no answer"}, none = Error{"no answer"};
    lab.reader.identify(process.pid(), lab.keep(found));
    lab.reader.identify(kNoProcess, lab.keep(none));
    lab.run(2);
    BOOST_TEST_REQUIRE(static_cast<bool>(found));
    BOOST_TEST(found->ppid == ::getpid());
    BOOST_TEST(found->start_ticks == *start_ticks_of(process.pid()));
    BOOST_TEST_REQUIRE(!none);
    BOOST_TEST(none.error().code == ENOENT, none.error().text());
}

BOOST_AUTO_TEST_CASE(the_file_of_exactly_the_process_is_handed_over) {
    const Subprocess process({"/bin/sleep", "100"});
    const ProcessId id{process.pid(), *start_ticks_of(process.pid())};
    Lab lab;
    Result<UniqueFd> file = Error{"no answer"}, other = Error{"no answer"};
    const auto keep = [&](Result<UniqueFd>& place) {
        return [&](Result<UniqueFd> answer) {
            place = std::move(answer);
            lab.count();
        };
    };
    lab.reader.measure(id, "smaps_rollup", keep(file));
    lab.reader.measure({id.pid, id.start_ticks + 1}, "statm", keep(other));
    lab.run(2);
    BOOST_TEST_REQUIRE(static_cast<bool>(file));
    char text[4096] = {};
    BOOST_TEST(::pread(file->get(), text, sizeof text - 1, 0) > 0);
    BOOST_TEST(std::string(text).find("Pss:") != std::string::npos);
    BOOST_TEST_REQUIRE(!other);
    BOOST_TEST(other.error().code == ESRCH);
}

// A process that has changed its user is closed to others of that user (PR_GET_DUMPABLE(2const)).
BOOST_AUTO_TEST_CASE(a_file_that_only_tracing_opens_is_refused_once_and_for_the_right_reason) {
    need_root("needs root, to run processes as another user");
    static constexpr uid_t kUser = 65534;
    const auto runs_as = [](uid_t user) {
        return Subprocess(
            [user] {
                if (::setgid(user) != 0 || ::setuid(user) != 0)
                    return 1;
                ::pause();
                return 0;
            },
            Subprocess::Options{});
    };
    const Subprocess same = runs_as(kUser), other = runs_as(kUser - 1);
    const auto runs_by = [](pid_t pid, uid_t user) {
        const std::string line = "\nUid:\t" + std::to_string(user) + "\t";
        return read_file("/proc/" + std::to_string(pid) + "/status").find(line) != std::string::npos;
    };
    BOOST_TEST(wait_until([&] { return runs_by(same.pid(), kUser) && runs_by(other.pid(), kUser - 1); }));
    Lab lab([](SandboxLevel level, const ChildUser&, pid_t master) {
        return ::setgid(kUser) == 0 && ::setuid(kUser) == 0
                   ? run_process_reader(level, ChildUser{kUser, kUser, false, {}}, master)
                   : 1;
    });
    Result<UniqueFd> of_same = Error{"no answer"}, of_other = Error{"no answer"};
    const auto keep = [&](Result<UniqueFd>& place) {
        return [&](Result<UniqueFd> answer) {
            place = std::move(answer);
            lab.count();
        };
    };
    lab.reader.measure({same.pid(), *start_ticks_of(same.pid())}, "smaps_rollup", keep(of_same));
    lab.reader.measure({other.pid(), *start_ticks_of(other.pid())}, "smaps_rollup", keep(of_other));
    lab.run(2);
    BOOST_TEST_REQUIRE(!of_same);
    BOOST_TEST(of_same.error().text().ends_with(
                   "smaps_rollup of a process that has more rights or has changed "
                   "its user takes CAP_SYS_PTRACE (in a container, cap_add: [SYS_PTRACE]): "
                   "Permission denied"),
               of_same.error().text());
    BOOST_TEST_REQUIRE(!of_other);
    BOOST_TEST(of_other.error().text().ends_with(
                   "smaps_rollup of another user's process takes CAP_SYS_PTRACE (in a container, cap_add: "
                   "[SYS_PTRACE]): Permission denied"),
               of_other.error().text());
}

BOOST_AUTO_TEST_CASE(one_that_hangs_is_replaced_and_the_process_is_left_out_while_others_are_answered) {
    Lab lab(hang_at_one);
    Result<ProcessReader::Process> before = Error{"no answer"}, hung = Error{"no answer"},
                                   behind = Error{"no answer"};
    lab.reader.identify(1, lab.keep(before));
    lab.reader.identify(kHanging, lab.keep(hung));
    lab.reader.identify(2, lab.keep(behind));
    lab.run(3);
    BOOST_TEST(static_cast<bool>(before));
    BOOST_TEST(static_cast<bool>(behind));
    BOOST_TEST_REQUIRE(!hung);
    BOOST_TEST(hung.error().code == ETIMEDOUT);
    // It is not asked again at once.
    const auto began = std::chrono::steady_clock::now();
    const pid_t reader = lab.reader.pid();
    Result<ProcessReader::Process> again = Error{"no answer"};
    lab.got = 0;
    lab.reader.identify(kHanging, lab.keep(again));
    lab.run(1);
    BOOST_TEST_REQUIRE(!again);
    BOOST_TEST(again.error().code == ETIMEDOUT);
    BOOST_TEST((std::chrono::steady_clock::now() - began < 300ms * slower()));
    BOOST_TEST(lab.reader.pid() == reader);
}

BOOST_AUTO_TEST_CASE(a_question_that_cannot_be_sent_is_no_fault_of_its_process) {
    Lab lab([](SandboxLevel, const ChildUser&, pid_t) {
        ::shutdown(kControlFd, SHUT_RD);
        (void)write_line(kReportFd, encode(Ready{}).line());
        ::pause();
        return 0;
    });
    Result<ProcessReader::Process> answer = Error{"no answer"};
    lab.reader.identify(1, lab.keep(answer));
    lab.run(1);
    BOOST_TEST_REQUIRE(!answer);
    BOOST_TEST(answer.error().code == EAGAIN, answer.error().text());
    // A child that takes nothing is of no use.
    BOOST_TEST(answer.error().text().find("takes no question") != std::string::npos, answer.error().text());
    const pid_t first = lab.reader.pid();
    lab.wanted = lab.got + 1;
    lab.end.start(500ms);
    lab.loop.run();
    BOOST_TEST((first == 0 || lab.reader.pid() != first));
}

BOOST_AUTO_TEST_CASE(without_a_child_each_question_is_answered_with_the_reason) {
    Lab lab([](SandboxLevel, const ChildUser&, pid_t) { return 3; });
    Result<ProcessReader::Process> answer = Error{"no answer"};
    for (int i = 0; i < 3; ++i) {
        lab.got = 0;
        answer = Error{"no answer"};
        lab.reader.identify(1, lab.keep(answer));
        lab.run(1);
        BOOST_TEST_REQUIRE(!answer);
        BOOST_TEST(answer.error().code == EAGAIN, answer.error().text());
    }
}

BOOST_AUTO_TEST_CASE(
    with_too_many_readers_hanging_the_tries_become_rarer_and_the_end_of_one_is_answered_at_once) {
    constexpr pid_t kFirstHanging = 0x3ffe00;
    const FrozenDisk disk;
    Lab lab([&disk](SandboxLevel, const ChildUser&, pid_t) {
        return answer_after([&disk](pid_t pid) {
            if (pid >= kFirstHanging)
                (void)place_file(disk.dir(), std::to_string(pid), "text", 0600);
        });
    });
    disk.freeze();
    Result<ProcessReader::Process> answer = Error{"no answer"};
    for (int i = 0; i < 8; ++i)
        lab.reader.identify(kFirstHanging + i, lab.keep(answer));
    lab.run(8, 20s);
    BOOST_TEST_REQUIRE(lab.got == 8U);
    // Each attempt has an error message of its own.
    int tries = 0;
    bool answered = false;
    Timer ask(lab.loop, [&] {
        lab.reader.identify(1, [&](const Result<ProcessReader::Process>& result) {
            answered = static_cast<bool>(result);
            if (!answered && result.error().what.starts_with("too many process readers hang"))
                ++tries;
            if (answered || tries == 3)
                lab.loop.stop();
        });
        ask.start(20ms);
    });
    const auto began = std::chrono::steady_clock::now();
    ask.start(0ms);
    lab.end.start(10s);
    lab.loop.run();
    BOOST_TEST(tries == 3);
    // The first, 1 s later the second, 2 s later the third.
    BOOST_TEST((std::chrono::steady_clock::now() - began >= 2900ms));
    disk.thaw();
    tries = 0;
    lab.end.start(3s);  // the fourth would come after 4 s
    lab.loop.run();
    BOOST_TEST(answered);
}

BOOST_AUTO_TEST_SUITE_END()
