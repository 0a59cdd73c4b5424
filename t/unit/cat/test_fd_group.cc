// Descriptors that are looked at together.
#include "common/system/unique_fd.h"
#include "master/process/fd_group.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <unistd.h>
#include <vector>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_fd_group)

namespace {

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        BOOST_TEST_REQUIRE(::pipe(ends.data()) == 0);
        read_end.reset(ends[0]);
        write_end.reset(ends[1]);
    }
    void write() const { BOOST_TEST_REQUIRE(::write(write_end.get(), "x", 1) == 1); }
    void read() const {
        char c = 0;
        BOOST_TEST_REQUIRE(::read(read_end.get(), &c, 1) == 1);
    }
    UniqueFd read_end;
    UniqueFd write_end;
};

}  // namespace

BOOST_AUTO_TEST_CASE(each_member_with_news_is_called_and_no_other) {
    Loop loop;
    FdGroup group(loop);
    std::array<Pipe, 3> pipes;
    std::vector<std::unique_ptr<FdGroup::Member>> members;
    std::vector<int> called;
    for (std::size_t i = 0; i < 3; ++i)
        members.push_back(std::make_unique<FdGroup::Member>(group, pipes[i].read_end.get(), [&, i] {
            pipes[i].read();
            called.push_back(static_cast<int>(i));
            if (called.size() == 2)
                loop.stop();
        }));
    pipes[0].write();
    pipes[2].write();
    loop.run();
    BOOST_TEST((called == std::vector<int>{0, 2}));
}

BOOST_AUTO_TEST_CASE(a_member_that_another_one_ends_in_the_same_turn_is_not_called) {
    Loop loop;
    FdGroup group(loop);
    Pipe first;
    Pipe second;
    std::unique_ptr<FdGroup::Member> one;
    std::unique_ptr<FdGroup::Member> two;
    int calls = 0;
    const auto end_both = [&] {
        ++calls;
        // Its own function must go on to live while it runs.
        one.reset();
        two.reset();
        loop.stop();
    };
    one = std::make_unique<FdGroup::Member>(group, first.read_end.get(), end_both);
    two = std::make_unique<FdGroup::Member>(group, second.read_end.get(), end_both);
    first.write();
    second.write();
    loop.run();
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(while_held_nobody_is_called_and_afterwards_all_are) {
    Loop loop;
    FdGroup group(loop);
    const Pipe pipe;
    TimePoint called;
    const FdGroup::Member member(group, pipe.read_end.get(), [&] {
        called = Clock::now();
        loop.stop();
    });
    pipe.write();
    const TimePoint begin = Clock::now();
    group.hold(50ms);
    group.hold(10s);  // the first one counts
    Timer limit(loop, [&] { loop.stop(); });
    limit.start(5s);
    loop.run();
    BOOST_TEST((called >= begin + 50ms));
}

BOOST_AUTO_TEST_CASE(whoever_holds_again_and_again_does_not_keep_a_member_from_being_called) {
    Loop loop;
    FdGroup group(loop);
    const Pipe pipe;
    int calls = 0;
    const FdGroup::Member member(group, pipe.read_end.get(), [&] {
        pipe.read();
        ++calls;
        loop.stop();
    });
    pipe.write();
    group.hold(5ms);
    // A slow turn: when it is over, the end of the hold and the next hold are due, in this order.
    std::unique_ptr<Timer> again;
    again = std::make_unique<Timer>(loop, [&] {
        group.hold(5ms);
        again->start(8ms);
        ::usleep(12'000);
    });
    again->start(1ms);
    Timer limit(loop, [&] { loop.stop(); });
    limit.start(500ms);
    loop.run();
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a_stopped_member_is_called_no_more) {
    Loop loop;
    FdGroup group(loop);
    const Pipe pipe;
    int calls = 0;
    FdGroup::Member member(group, pipe.read_end.get(), [&] {
        ++calls;
        member.stop();
    });
    pipe.write();
    Timer limit(loop, [&] { loop.stop(); });
    limit.start(30ms);
    loop.run();
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_SUITE_END()
