// Restarts that were left in the middle: their records, and what becomes of each.
#include "master/action/finish.h"
#include "master/action/restart_record.h"
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <sys/stat.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
using master::CallResult;
using master::RestartRecord;

BOOST_AUTO_TEST_SUITE(test_action_finish)

namespace {

// A link to a supervisord that has these programs.
class FakeLink : public master::LinkClient {
public:
    explicit FakeLink(std::map<std::string, ProgramLine> programs)
        : LinkClient(UniqueFd()), programs_(std::move(programs)) {}

    CallResult call(std::string_view op, std::string_view name, std::chrono::milliseconds) override {
        calls += std::string(op) + ' ' + std::string(name) + '\n';
        CallResult result;
        const auto found = programs_.find(std::string(name));
        result.code = found == programs_.end() ? kFaultBadName : kCallOk;
        if (found != programs_.end())
            result.program = found->second;
        return result;
    }

    std::string calls;

private:
    std::map<std::string, ProgramLine> programs_;
};

ProgramLine stopped(std::int64_t start) {
    ProgramLine line;
    line.state = kStopped;
    line.start = start;
    return line;
}

struct Finish {
    bool all = false;
    std::string said;
    std::vector<std::string> claimed;
    std::string held;      // one at a time
    std::string released;  // and how many records were left then
};

std::vector<std::string> recorded(const TempDir& dir) {
    std::vector<std::string> names;
    for (const RestartRecord& record : master::list_records(dir.path().string()).records)
        names.push_back(record.program);
    std::ranges::sort(names);
    return names;
}

Finish finish(const TempDir& dir, FakeLink& link, const std::set<std::string>& busy = {},
              bool granted = true) {
    Finish done;
    done.all =
        master::finish_restarts(dir.path().string(), busy, link, master::DiskWork(-1),
                                {.say = [&](const std::string& sentence) { done.said += sentence + '\n'; },
                                 .claim =
                                     [&](const std::string& program) {
                                         BOOST_TEST(done.held == "");
                                         done.claimed.push_back(program);
                                         done.held = granted ? program : "";
                                         return granted;
                                     },
                                 .release =
                                     [&](const std::string& program) {
                                         BOOST_TEST(done.held == program);
                                         done.held.clear();
                                         done.released +=
                                             program + ' ' + std::to_string(recorded(dir).size()) + " left\n";
                                     }});
    return done;
}

bool write(const TempDir& dir, const std::string& program, std::int64_t start = 1000) {
    return static_cast<bool>(
        master::write_record(dir.path().string(), master::ordered_now(program, start, "cat1")));
}

std::string repeat(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i)
        all += text;
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_program_is_started_unless_somebody_has_started_and_stopped_it_since) {
    const TempDir dir;
    BOOST_REQUIRE(write(dir, "same") && write(dir, "later") && write(dir, "never") && write(dir, "gone"));
    FakeLink link({{"same", stopped(1000)},
                   {"later", stopped(2000)},
                   // By a supervisord that was started since, and does not start it by itself.
                   {"never", stopped(0)}});
    const Finish done = finish(dir, link);
    BOOST_TEST(done.all);
    BOOST_TEST(link.calls.find("start same\n") != std::string::npos);
    BOOST_TEST(link.calls.find("start never\n") != std::string::npos);
    BOOST_TEST(link.calls.find("start later\n") == std::string::npos);
    BOOST_TEST(done.said.find("later was started and stopped by somebody else since") != std::string::npos);
    BOOST_TEST(recorded(dir).empty());
}

// As its operator wants it, who set autostart=false, or who works with a supervisord that was started since.
BOOST_AUTO_TEST_CASE(what_a_new_supervisord_does_not_start_is_started_only_for_a_restart_of_the_last_hour) {
    const auto now = master::ordered_now("web", 1000, "cat1");
    BOOST_TEST(!now.boot.empty());
    const auto ordered = [&](std::int64_t seconds_ago, const std::string& boot) {
        RestartRecord record = now;
        record.at -= seconds_ago;
        record.boot = boot;
        return record;
    };
    const std::pair<RestartRecord, bool> rows[] = {
        {ordered(0, now.boot), true},
        {ordered(3'590, now.boot), now.at >= 3'590},
        {ordered(3'700, now.boot), false},
        {ordered(-100, now.boot), false},
        {ordered(0, "6f1e8c1e-0000-4000-8000-000000000000"), false},
        {ordered(0, ""), false},
    };
    for (const auto& [record, starts] : rows)
        for (const std::int64_t start : {0, 1000}) {
            const TempDir dir;
            BOOST_REQUIRE(static_cast<bool>(master::write_record(dir.path().string(), record)));
            FakeLink link({{"web", stopped(start)}});
            BOOST_TEST(finish(dir, link).all);
            // The very process that was stopped: nobody has done anything since.
            BOOST_TEST((link.calls.find("start web\n") != std::string::npos) == (starts || start != 0),
                       record.at << " " << record.boot << " " << start);
            BOOST_TEST(recorded(dir).empty());
        }
}

BOOST_AUTO_TEST_CASE(a_program_that_an_action_works_at_is_left_alone_and_keeps_its_record) {
    const TempDir dir;
    BOOST_REQUIRE(write(dir, "busy") && write(dir, "other"));
    FakeLink link({{"busy", stopped(1000)}, {"other", stopped(1000)}});
    const Finish first = finish(dir, link, {"busy"});
    BOOST_TEST(!first.all);
    BOOST_TEST(first.claimed == std::vector<std::string>{"other"}, boost::test_tools::per_element());
    BOOST_TEST(link.calls.find("busy") == std::string::npos, link.calls);
    BOOST_TEST(recorded(dir) == std::vector<std::string>{"busy"}, boost::test_tools::per_element());
    BOOST_TEST(finish(dir, link).all);
    BOOST_TEST(link.calls.find("start busy\n") != std::string::npos);
    BOOST_TEST(recorded(dir).empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_done_when_somebody_else_works_at_the_programs) {
    const TempDir dir;
    BOOST_REQUIRE(write(dir, "web"));
    FakeLink link({{"web", stopped(1000)}});
    const Finish denied = finish(dir, link, {}, false);
    BOOST_TEST(!denied.all);
    BOOST_TEST(link.calls == "");
    BOOST_TEST(recorded(dir) == std::vector<std::string>{"web"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_program_is_released_when_it_is_done_with_and_not_with_the_last_one) {
    const TempDir dir;
    BOOST_REQUIRE(write(dir, "one") && write(dir, "two"));
    FakeLink link({{"one", stopped(1000)}, {"two", stopped(1000)}});
    const Finish done = finish(dir, link);
    const bool in_order = done.released == "one 1 left\ntwo 0 left\n";
    BOOST_TEST((in_order || done.released == "two 1 left\none 0 left\n"), done.released);
    // One that is to be tried again as well.
    BOOST_REQUIRE(write(dir, "stopping"));
    ProgramLine line;
    line.state = kStopping;
    FakeLink later({{"stopping", line}});
    BOOST_TEST(finish(dir, later).released == "stopping 1 left\n");
}

BOOST_AUTO_TEST_CASE(a_program_of_any_name_has_a_record_of_its_own) {
    const TempDir dir;
    std::vector<std::string> names{"web",
                                   ".web",
                                   "group:web",
                                   "a b/../c",
                                   repeat("网", 26),
                                   repeat("网", 27),  // as %XX longer than a file name may be, with .new
                                   repeat("网", 85),
                                   repeat("n", 242),
                                   repeat("n", 243),
                                   repeat("n", 255),
                                   repeat("n", 254) + "m",
                                   repeat("🟢", 900),
                                   repeat("\x01", 3900)};
    for (const std::string& name : names)
        BOOST_TEST(write(dir, name), name.size() << " bytes");
    std::ranges::sort(names);
    BOOST_TEST(recorded(dir) == names, boost::test_tools::per_element());
    while (!names.empty()) {
        BOOST_TEST(static_cast<bool>(master::remove_record(dir.path().string(), names.back())));
        names.pop_back();
        BOOST_TEST(recorded(dir) == names, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_record_of_a_name_that_fits_is_where_it_has_always_been) {
    const TempDir dir;
    BOOST_REQUIRE(write(dir, "group:" + repeat("n", 234)));
    BOOST_TEST(
        std::filesystem::exists(dir.path() / "restarts" / ("group%3A" + repeat("n", 234) + ".restart")));
}

BOOST_AUTO_TEST_CASE(what_is_no_record_is_put_aside_whatever_its_name_and_its_kind) {
    const TempDir dir;
    std::filesystem::create_directory(dir.path() / "restarts");
    const std::string longest = repeat("x", 247) + ".restart";
    std::ofstream(dir.path() / "restarts" / longest) << "{";
    BOOST_REQUIRE(::mkfifo((dir.path() / "restarts" / "pipe.restart").c_str(), 0600) == 0);
    std::filesystem::create_symlink("/dev/zero", dir.path() / "restarts" / "link.restart");
    BOOST_TEST(master::list_records(dir.path().string()).damaged.size() == 3u);
    const master::RecordList again = master::list_records(dir.path().string());
    BOOST_TEST(again.damaged.empty());
    BOOST_TEST(again.records.empty());
}

BOOST_AUTO_TEST_SUITE_END()
