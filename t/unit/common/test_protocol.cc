#include "common/text/printable.h"
#include "common/wire/protocol_supervisord.h"
#include "common/wire/protocol_task.h"
#include "common/wire/protocol_worker.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <vector>

using namespace healthcheckd;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(test_protocol)

namespace {

const std::string kNastyText = "blank % newline\n nul\0 escape\x1b[2J 测试 \xff\xfe msg=done ok=1"s;

// What the encoder wrote, read back by the decoder of `Line`; the message must be a `Message`.
template <class Line, class Message> Message round_trip(const Message& message) {
    LineWriter writer = encode(message);
    const std::string_view line = writer.line();
    BOOST_TEST_REQUIRE(!line.empty());
    BOOST_TEST_REQUIRE(line.size() <= kMaxLine);
    BOOST_TEST_REQUIRE(line.find('\n') == line.size() - 1);
    Line decoded;
    BOOST_TEST_REQUIRE(decode(line.substr(0, line.size() - 1), decoded), "refused: " << line);
    const Message* same = std::get_if<Message>(&decoded);
    BOOST_TEST_REQUIRE((same != nullptr), "read as another message: " << line);
    return *same;
}

template <class Line> void refuses_all(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        Line decoded;
        BOOST_TEST(!decode(line, decoded), "accepted: " << printable(line, 100));
    }
}

template <class Line> void accepts(const std::string& line) {
    Line decoded;
    BOOST_TEST(decode(line, decoded), "refused: " << line);
}

std::string text_of(LineWriter writer) {
    return std::string(writer.line());
}

// Is the line one that a pipe carries whole, or nothing at all?
bool whole_or_nothing(const std::string& line) {
    return line.empty() || (line.size() <= kMaxLine && line.find('\n') == line.size() - 1);
}

}  // namespace

BOOST_AUTO_TEST_CASE(commands_to_a_worker_survive_the_way) {
    BOOST_TEST((round_trip<Command>(Track{{2630, 81123}}).process == ProcessId{2630, 81123}));
    BOOST_TEST((round_trip<Command>(Track{}).process == ProcessId{}));
    const auto probe = round_trip<Command>(
        ProbeCommand{.seq = 17, .process = {2630, 81123}, .restarts = 4, .state = kNastyText});
    BOOST_TEST(probe.seq == 17);
    BOOST_TEST((probe.process == ProcessId{2630, 81123}));
    BOOST_TEST(probe.restarts == 4);
    BOOST_TEST(probe.user == kNoUser);
    ProbeCommand of_user;
    of_user.user = 1000;
    BOOST_TEST(round_trip<Command>(of_user).user == 1000);
    BOOST_TEST((probe.state == kNastyText));
    round_trip<Command>(NewLog{});
}

BOOST_AUTO_TEST_CASE(reports_of_each_verdict_survive_the_way) {
    for (const Verdict verdict : {Verdict::success, Verdict::failure, Verdict::idle, Verdict::unknown}) {
        const auto report = round_trip<WorkerLine>(Report{.verdict = verdict,
                                                          .seq = ~0ULL,
                                                          .value = 431.25,
                                                          .limit = -1e300,
                                                          .unit = "µs %",
                                                          .took_us = 63,
                                                          .process = {2, 5},
                                                          .weight = 3,
                                                          .message = kNastyText});
        BOOST_TEST((report.verdict == verdict));
        BOOST_TEST(report.seq == ~0ULL);
        BOOST_TEST(report.value == 431.25);
        BOOST_TEST(report.limit == -1e300);
        BOOST_TEST(report.unit == "µs %");
        BOOST_TEST(report.took_us == 63);
        BOOST_TEST((report.process == ProcessId{2, 5}));
        BOOST_TEST(report.weight == 3);
        BOOST_TEST((report.message == kNastyText));
    }
}

BOOST_AUTO_TEST_CASE(other_lines_of_a_worker_survive_the_way) {
    round_trip<WorkerLine>(Ready{});
    round_trip<WorkerLine>(Ready{"bounding set,uid"});
    round_trip<WorkerLine>(RotateRequest{});
    BOOST_TEST((round_trip<WorkerLine>(Unlogged{kNastyText}).message == kNastyText));
    BOOST_TEST((round_trip<WorkerLine>(OpenRequest{{77, 1}}).process == ProcessId{77, 1}));
    BOOST_TEST((round_trip<WorkerLine>(Broken{kNastyText}).message == kNastyText));
}

BOOST_AUTO_TEST_CASE(calls_to_the_link_survive_the_way) {
    const auto call = round_trip<LinkCommand>(Call{5, "info", "web:web 00"});
    BOOST_TEST(call.seq == 5);
    BOOST_TEST(call.op == "info");
    BOOST_TEST(call.name == "web:web 00");
    BOOST_TEST(round_trip<LinkCommand>(Call{6, "list", ""}).name == "");
    round_trip<LinkCommand>(Peer{});
}

BOOST_AUTO_TEST_CASE(the_answer_to_a_claim_and_the_word_on_a_lock_survive_the_way) {
    round_trip<ClaimAnswer>(Granted{});
    round_trip<ClaimAnswer>(Denied{});
    for (const char* bad : {"y", "granted msg=", "denied x", "lock msg=x", ""}) {
        ClaimAnswer answer;
        BOOST_TEST(!decode(bad, answer), bad);
    }
    LockLine line;
    LineWriter written = encode(LockLine{kNastyText});
    std::string_view text = written.line();
    text.remove_suffix(1);
    BOOST_TEST((decode(text, line) && line.message == kNastyText));
    BOOST_TEST(!decode("lock", line));
}

BOOST_AUTO_TEST_CASE(answers_of_the_link_survive_the_way) {
    const auto program = round_trip<LinkLine>(ProgramLine{.seq = 9,
                                                          .name = "web:web_00",
                                                          .state = kBackoff,
                                                          .pid = 4194304,
                                                          .start = 1700000000,
                                                          .now = 1700000009,
                                                          .exit_status = -9,
                                                          .spawn_error = kNastyText});
    BOOST_TEST(program.seq == 9);
    BOOST_TEST(program.name == "web:web_00");
    BOOST_TEST(program.state == kBackoff);
    BOOST_TEST(program.pid == 4194304);
    BOOST_TEST(program.start == 1700000000);
    BOOST_TEST(program.now == 1700000009);
    BOOST_TEST(program.exit_status == -9);
    BOOST_TEST((program.spawn_error == kNastyText));

    const auto settings = round_trip<LinkLine>(SettingsLine{3, 4, 5});
    BOOST_TEST(settings.seq == 3);
    BOOST_TEST(settings.startsecs == 4);
    BOOST_TEST(settings.stopwaitsecs == 5);

    const auto answer = round_trip<LinkLine>(AnswerLine{8, kCallTimeout, 12, kNastyText});
    BOOST_TEST(answer.seq == 8);
    BOOST_TEST(answer.code == kCallTimeout);
    BOOST_TEST(answer.count == 12);
    BOOST_TEST((answer.message == kNastyText));

    round_trip<LinkLine>(Ready{});
    BOOST_TEST((round_trip<LinkLine>(Broken{"seccomp"}).message == "seccomp"));
}

BOOST_AUTO_TEST_CASE(lines_of_an_action_survive_the_way) {
    const auto stage = round_trip<ActionLine>(Stage{62000, "stops gateway"});
    BOOST_TEST(stage.limit_ms == 62000);
    BOOST_TEST(stage.message == "stops gateway");
    BOOST_TEST((round_trip<ActionLine>(Output{kNastyText}).text == kNastyText));
    for (const bool ok : {true, false}) {
        const auto done = round_trip<ActionLine>(Done{ok, "stopped and started"});
        BOOST_TEST(done.ok == ok);
        BOOST_TEST(done.message == "stopped and started");
    }
}

BOOST_AUTO_TEST_CASE(malformed_commands_are_refused) {
    accepts<Command>("probe seq=1 pid=0 start=0 restarts=0 user=-1 state=STOPPED");
    accepts<Command>("probe seq=1 pid=0 start=0 restarts=0 user=4294967294 state=STOPPED");
    refuses_all<Command>({
        "",
        " ",
        "\n",
        "\0"s,
        "probe",
        "Track pid=2 start=1",
        "track pid=2",
        "track start=1 pid=2",
        "track pid=2 start=1 ",
        "track  pid=2 start=1",
        "track pid=2 start=1 more=1",
        "track pid=2 start=1\n",
        "track pid=2 start=1\0"s,
        "track pid=-1 start=1",
        "track pid=1 start=1",
        "track pid=99999999999 start=1",
        "track pid=2 start=-1",
        "track pid=2 start=18446744073709551616",
        "probe seq=1 pid=-7 start=0 restarts=0 user=-1 state=X",
        "probe seq=1 pid=0 start=0 restarts=4294967296 user=-1 state=X",
        "probe seq=1 pid=0 start=0 restarts=-1 user=-1 state=X",
        "probe seq=1 pid=0 start=0 restarts=0 user=-1 state=A B",
        "probe seq=1 pid=0 start=0 restarts=0 user=-1 state=%",
        "probe seq=1 pid=0 start=0 restarts=0 user=-2 state=X",
        "probe seq=1 pid=0 start=0 restarts=0 user=4294967295 state=X",
        "probe seq=1 pid=0 start=0 restarts=0 state=X",
        "probe seq= pid=0 start=0 restarts=0 user=-1 state=X",
        "log x=1",
        "log ",
        "ready",
        "success seq=1 value=1 limit=1 unit= took_us=1 pid=0 start=0 weight=1 msg=",
    });
}

BOOST_AUTO_TEST_CASE(malformed_lines_of_a_worker_are_refused) {
    const std::string good =
        "failure seq=1 value=1.5 limit=2 unit=MB took_us=63 pid=2630 start=5 weight=1 msg=rss";
    accepts<WorkerLine>(good);
    refuses_all<WorkerLine>({
        "",
        "ready ",
        "ready now",
        "ready\0"s,
        "READY",
        "rotate 1",
        "open pid=0 start=0",
        "open pid=1 start=0",
        "open pid=-2630 start=0",
        "open pid=2630",
        "broken",
        "broken msg",
        "broken msg=a\nready",
        "broken msg=a\0b"s,
        "broken msg=100%",
        "broken msg=%zz",
        "broken msg=" + std::string(kMaxLine, 'x'),
        "maybe seq=1 value=1 limit=1 unit=MB took_us=1 pid=2 start=1 weight=1 msg=",
        "failure seq=1 value=nan limit=2 unit=MB took_us=63 pid=2630 start=5 weight=1 msg=",
        "failure seq=1 value=inf limit=2 unit=MB took_us=63 pid=2630 start=5 weight=1 msg=",
        "failure seq=1 value=1e400 limit=2 unit=MB took_us=63 pid=2630 start=5 weight=1 msg=",
        "failure seq=1 value=1 limit=-inf unit=MB took_us=63 pid=2630 start=5 weight=1 msg=",
        "failure seq=-1 value=1 limit=2 unit=MB took_us=63 pid=2630 start=5 weight=1 msg=",
        "failure seq=1 value=1 limit=2 unit=MB took_us=63 pid=-2630 start=5 weight=1 msg=",
        "failure seq=1 value=1 limit=2 unit=MB took_us=63 pid=1 start=5 weight=1 msg=",
        "failure seq=1 value=1 limit=2 unit=MB took_us=63 pid=2630 start=5 weight=0 msg=",
        "failure seq=1 value=1 limit=2 unit=MB took_us=63 pid=2630 start=5 weight=-1 msg=",
        "failure seq=1 value=1 limit=2 unit=MB took_us=63 pid=2630 start=5 weight=99999999999 msg=",
        "failure seq=1 value=1 limit=2 unit=M%4 took_us=63 pid=2630 start=5 weight=1 msg=",
        "failure seq=1 value=1 limit=2 unit=MB took_us=63 pid=2630 start=5 msg= weight=1",
        "failure seq=1 value=1 limit=2 unit=MB took_us=63 pid=2630 start=5 weight=1",
        "failure seq=1 limit=2 value=1 unit=MB took_us=63 pid=2630 start=5 weight=1 msg=",
        good.substr(8),
        "log",
        "done ok=1 unfinished=0 msg=",
    });
    // Every part of a good line, cut anywhere, is not a line.
    for (std::size_t n = 0; n < good.find("msg=") + 4; ++n)
        refuses_all<WorkerLine>({good.substr(0, n)});
}

BOOST_AUTO_TEST_CASE(malformed_calls_to_the_link_are_refused) {
    accepts<LinkCommand>("call seq=1 op=list name=");
    refuses_all<LinkCommand>({
        "",
        "call",
        "call seq=1 op=list",
        "call seq=1 op=list name",
        "call seq=1 name= op=list",
        "call seq=x op=list name=",
        "call seq=1 op=list name= ",
        "call seq=1 op=list name=a b",
        "call seq=1 op=list name=%0",
        "call seq=1 op=list name=a\nb",
        "call seq=1 op=list name=" + std::string(kMaxLine, 'x'),
        "peer ",
        "peer fd=3",
        "ready",
    });
}

BOOST_AUTO_TEST_CASE(malformed_answers_of_the_link_are_refused) {
    accepts<LinkLine>("program seq=1 name=a state=20 pid=7 start=1 now=2 exit=0 msg=");
    refuses_all<LinkLine>({
        "",
        "program seq=1 name=a state=20 pid=-7 start=1 now=2 exit=0 msg=",
        "program seq=1 name=a state=20 pid=7000000000 start=1 now=2 exit=0 msg=",
        "program seq=1 name=a state= pid=7 start=1 now=2 exit=0 msg=",
        "program seq=1 name=a state=20 pid=7 start=1e3 now=2 exit=0 msg=",
        "program seq=1 name=a state=20 pid=7 start=1 now=9223372036854775808 exit=0 msg=",
        "program seq=1 name=a state=20 pid=7 start=1 now=2 exit=0",
        "program seq=1 name=a state=20 pid=7 now=2 start=1 exit=0 msg=",
        "settings seq=1 startsecs=-1 stopwaitsecs=10",
        "settings seq=1 startsecs=1 stopwaitsecs=10 msg=",
        "settings seq=1 startsecs=1",
        "settings seq=1 startsecs=1 stopwaitsecs=4294967296",
        "answer seq=1 code=0 count=-1 msg=",
        "answer seq=1 code=2147483648 count=0 msg=",
        "answer seq=1 code=0 msg=",
        "answer code=0 seq=1 count=0 msg=",
        "broken",
        "ready yes",
        "call seq=1 op=list name=",
    });
}

BOOST_AUTO_TEST_CASE(malformed_lines_of_an_action_are_refused) {
    accepts<ActionLine>("done ok=0 unfinished=0 msg=");
    refuses_all<ActionLine>({
        "",
        "stage limit_ms=-1 msg=",
        "stage limit_ms=1.5 msg=",
        "stage msg= limit_ms=1",
        "stage limit_ms=1",
        "output",
        "output text=x",
        "output msg=\x01",
        "done ok=2 unfinished=0 msg=",
        "done ok=true unfinished=0 msg=",
        "done ok= unfinished=0 msg=",
        "done ok=-1 unfinished=0 msg=",
        "done msg=",
        "done",
        "ready",
    });
}

BOOST_AUTO_TEST_CASE(a_megabyte_of_hostile_text_never_makes_an_overlong_or_torn_line) {
    for (const std::string& piece :
         {"x"s, "%"s, "\n"s, "\0"s, "\xff"s, "\n done ok=1 unfinished=0 msg="s, "测"s}) {
        std::string text;
        while (text.size() < 1 << 20)
            text += piece;
        BOOST_TEST(whole_or_nothing(text_of(encode(ProbeCommand{1, {}, 0, text}))));
        BOOST_TEST(whole_or_nothing(text_of(encode(Call{1, text, text}))));
        BOOST_TEST(whole_or_nothing(text_of(encode(Report{.unit = text, .process = {}, .message = text}))));
        BOOST_TEST(whole_or_nothing(text_of(encode(ProgramLine{.name = text, .spawn_error = text}))));
        // Where only the message is long, it is cut and the rest of the line arrives.
        const auto report =
            round_trip<WorkerLine>(Report{.seq = 3, .unit = "MB", .process = {}, .message = text});
        BOOST_TEST(report.seq == 3);
        BOOST_TEST(report.message.size() > 1000);
        BOOST_TEST(text.starts_with(report.message));
        BOOST_TEST(text.starts_with(round_trip<WorkerLine>(Broken{text}).message));
        BOOST_TEST(text.starts_with(
            round_trip<LinkLine>(ProgramLine{.name = "a", .spawn_error = text}).spawn_error));
        BOOST_TEST(text.starts_with(round_trip<LinkLine>(AnswerLine{1, 0, 0, text}).message));
        BOOST_TEST(text.starts_with(round_trip<ActionLine>(Stage{1, text}).message));
        BOOST_TEST(text.starts_with(round_trip<ActionLine>(Output{text}).text));
        BOOST_TEST(text.starts_with(round_trip<ActionLine>(Done{true, text}).message));
    }
}

BOOST_AUTO_TEST_CASE(program_states_have_the_names_that_supervisord_prints) {
    const std::vector<std::pair<int, std::string>> names = {
        {0, "STOPPED"},  {10, "STARTING"}, {20, "RUNNING"},   {30, "BACKOFF"}, {40, "STOPPING"},
        {100, "EXITED"}, {200, "FATAL"},   {1000, "UNKNOWN"}, {-1, "UNKNOWN"}, {21, "UNKNOWN"}};
    for (const auto& [state, name] : names)
        BOOST_TEST(program_state_name(state) == name);
}

BOOST_AUTO_TEST_CASE(verdicts_have_one_name_each) {
    for (const Verdict verdict : {Verdict::success, Verdict::failure, Verdict::idle, Verdict::unknown})
        BOOST_TEST((verdict_from(to_string(verdict)) == verdict));
    for (const char* text : {"", "Success", "fail", "failure ", "unknown1"})
        BOOST_TEST(!verdict_from(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(the_age_that_supervisord_tells_is_within_bounds_whatever_the_numbers) {
    constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t kMost = 30LL * 365 * 86'400;
    const auto age = [](std::int64_t start, std::int64_t now) {
        ProgramLine program;
        program.start = start;
        program.now = now;
        return told_age(program).count();
    };
    BOOST_TEST(age(1'700'000'000, 1'700'000'009) == 9);
    BOOST_TEST(age(1'700'000'009, 1'700'000'000) == 0);
    BOOST_TEST(age(0, 1'700'000'000) == kMost);
    BOOST_TEST(age(kLowest, kHighest) == kMost);
    BOOST_TEST(age(kHighest, kLowest) == 0);
    BOOST_TEST(age(kLowest, 0) == kMost);
    BOOST_TEST(age(1, kHighest) == kMost);
}

BOOST_AUTO_TEST_CASE(what_link_and_connector_say_to_each_other_is_read_as_it_was_written) {
    Reach wish;
    BOOST_REQUIRE(decode("reach seq=7 limit_ms=5000", wish));
    BOOST_TEST(wish.seq == 7U);
    BOOST_TEST(wish.limit_ms == 5000U);
    BOOST_TEST(!decode("reach seq=7", wish));
    BOOST_TEST(encode(Reached{7, 13, 1234, 99, false, "a link"}).line() ==
               "reached seq=7 error=13 owner=1234 pid=99 believed=0 msg=a link\n");
    Reached told;
    BOOST_REQUIRE(decode("reached seq=7 error=0 owner=1234 pid=99 believed=1 msg=", told));
    BOOST_TEST(told.owner == 1234U);
    BOOST_TEST(told.pid == 99);
    BOOST_TEST(told.believed);
    for (const char* bad : {"reached seq=7 error=0 owner=1234 pid=99 believed=2 msg=",
                            "reached seq=7 error=0 owner=1234 pid=-1 believed=1 msg="})
        BOOST_TEST(!decode(bad, told), bad);
    LinkLine line;
    BOOST_TEST(encode(SupervisorLine{7, 12, kNoListener}).line() == "supervisor seq=7 pid=12 listener=-1\n");
    BOOST_REQUIRE(decode("supervisor seq=7 pid=12 listener=0", line));
    BOOST_TEST(std::get<SupervisorLine>(line).pid == 12);
    BOOST_TEST(std::get<SupervisorLine>(line).listener == 0);
    for (const char* bad : {"supervisor seq=7 pid=-1 listener=0", "supervisor seq=7 pid=1 listener=-2",
                            "supervisor seq=7 pid=1"})
        BOOST_TEST(!decode(bad, line), bad);
    BOOST_REQUIRE(decode("owner uid=1234", line));
    BOOST_TEST(std::get<Owner>(line).uid == 1234U);
}

BOOST_AUTO_TEST_SUITE_END()
