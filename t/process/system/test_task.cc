// A child with one job: how its end is told, whatever it is.
#include "common/file/durable_file.h"
#include "common/wire/protocol_task.h"
#include "common/wire/say.h"
#include "master/process/task.h"
#include "t/fixture/basics.h"
#include "t/fixture/process/frozen_disk.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_task)

namespace {

struct TaskLab {
    TaskLab() : late(loop, [this] { loop.stop(); }), task(loop, spawner, [this] { ++returned; }) {}

    void start(std::function<int(pid_t)> main, Task::Ways ways,
               std::function<bool(std::string_view)> on_line = {}) {
        ChildSpec spec;
        spec.main = std::move(main);
        const auto started =
            task.start(spec, ways, {.on_line = std::move(on_line), .on_end = [this](const auto& end) {
                                        ++ends;
                                        how = end ? end->text() : "left behind";
                                        loop.stop();
                                    }});
        BOOST_TEST_REQUIRE(static_cast<bool>(started));
    }
    // Until it ends, for 10 s at most.
    void run() {
        late.start(10s);
        loop.run();
    }
    // Runs until `condition` holds, for 10 s at most.
    void run_until(const std::function<bool()>& condition) {
        Timer look(loop, [&] {
            if (condition())
                return loop.stop();
            look.start(20ms);
        });
        look.start(20ms);
        run();
    }

    Loop loop;
    Spawner spawner{loop};
    Timer late;
    int ends = 0, returned = 0;
    std::string how;
    Task task;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_child_that_its_limit_does_not_end_is_not_waited_for_and_reaped_when_it_can_be) {
    const FrozenDisk disk;
    TaskLab lab;
    disk.freeze();
    lab.start([&](pid_t) { return place_file(disk.dir(), "file", "text", 0600) ? 0 : 1; }, {.limit = 100ms});
    lab.run();
    BOOST_TEST(lab.ends == 1);
    BOOST_TEST(lab.how == "left behind");
    BOOST_TEST(lab.task.failure() == "SIGKILL does not end it: it hangs in the kernel");
    BOOST_TEST(lab.task.left_behind() == 1U);
    BOOST_TEST(lab.spawner.children() == 1U);
    disk.thaw();
    lab.run_until([&] { return lab.spawner.children() == 0; });
    BOOST_TEST(lab.spawner.children() == 0U);
    BOOST_TEST(lab.task.left_behind() == 0U);
    BOOST_TEST(lab.returned == 1);
    BOOST_TEST(lab.ends == 1);
}

BOOST_AUTO_TEST_CASE(a_child_that_its_deadline_ends_is_told_as_late) {
    TaskLab lab;
    const auto sleep = [](pid_t) {
        ::pause();
        return 0;
    };
    lab.start(sleep, {.limit = 100ms});
    lab.run();
    BOOST_TEST(lab.how == "killed by signal 9 (Killed)");
    BOOST_TEST(lab.task.failure() == "it was not done within 0.1 s");
}

BOOST_AUTO_TEST_CASE(the_reason_of_an_exception_is_what_failed_and_not_the_exit_status) {
    TaskLab lab;
    lab.start([](pid_t) -> int { throw std::runtime_error("no\nmemory"); }, {});
    lab.run();
    BOOST_TEST(lab.how == "exit status 1");
    BOOST_TEST(lab.task.failure() == "no\\x0Amemory");
    // The next one has no part in it.
    lab.start([](pid_t) { return 3; }, {});
    lab.run();
    BOOST_TEST(lab.task.failure() == "exit status 3");
    lab.start([](pid_t) { return 0; }, {});
    lab.run();
    BOOST_TEST(lab.task.failure() == "");
}

BOOST_AUTO_TEST_CASE(a_child_that_writes_what_nobody_takes_from_it_is_ended) {
    TaskLab lab;
    const auto talk = [](pid_t) {
        say(Output{"a word"});
        ::pause();
        return 0;
    };
    lab.start(talk, {});
    lab.run();
    BOOST_TEST(lab.how == "killed by signal 9 (Killed)");
    BOOST_TEST(lab.task.failure() == "its process broke the protocol");
}

// SIGKILL would leave behind what the child was about to end.
BOOST_AUTO_TEST_CASE(a_child_that_was_asked_to_end_is_not_killed_by_being_asked_again) {
    TaskLab lab;
    const auto obey_slowly = [](pid_t) {
        sigset_t term;
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        ::sigprocmask(SIG_BLOCK, &term, nullptr);
        say(Output{"ready"});
        int number = 0;
        ::sigwait(&term, &number);
        ::usleep(300'000);
        return 7;
    };
    const auto end_twice = [&](std::string_view) {
        lab.task.end();
        lab.task.end();
        return true;
    };
    lab.start(obey_slowly, {.end_limit = 8s, .asks_first = true}, end_twice);
    lab.run();
    BOOST_TEST(lab.how == "exit status 7");
}

BOOST_AUTO_TEST_SUITE_END()
