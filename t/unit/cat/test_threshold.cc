// The rules of master/cat/threshold.h as sequences: one letter a verdict, and what each must bring about.
#include "master/cat/threshold.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

namespace healthcheckd::master {
static std::ostream& operator<<(std::ostream& out, CatState state) {
    return out << to_string(state);
}
}  // namespace healthcheckd::master

using namespace healthcheckd;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(test_threshold)

namespace {

// Feeds letters: S success, F failure, 2..9 failure of that weight, I idle, U unknown, N new process. Gives a
// letter for each: . nothing, A action fires, R resolved, ! unmeasurable.
std::string run(Threshold& threshold, const std::string& letters) {
    std::string events;
    for (const char letter : letters) {
        Event event = Event::none;
        switch (letter) {
        case 'S':
            event = threshold.on_verdict(Verdict::success);
            break;
        case 'F':
            event = threshold.on_verdict(Verdict::failure);
            break;
        case 'I':
            event = threshold.on_verdict(Verdict::idle);
            break;
        case 'U':
            event = threshold.on_verdict(Verdict::unknown);
            break;
        case 'N':
            threshold.on_new_process();
            break;
        default:
            event = threshold.on_verdict(Verdict::failure, static_cast<std::uint32_t>(letter - '0'));
        }
        events += event == Event::none       ? '.'
                  : event == Event::fired    ? 'A'
                  : event == Event::resolved ? 'R'
                                             : '!';
    }
    return events;
}

struct Row {
    const char* promise;
    ThresholdLimits limits;
    std::string verdicts;
    std::string events;
    CatState state;
};

const std::vector<Row> kRows = {
    {"two failures are not enough for three", {3, 1}, "FF", "..", CatState::failing},
    {"the third failure fires", {3, 1}, "FFF", "..A", CatState::failed},
    {"it fires again after as many failures again", {3, 1}, "FFFFFF", "..A..A", CatState::failed},
    {"a threshold of one fires each time", {1, 1}, "FFF", "AAA", CatState::failed},
    {"a success in between starts the count again", {3, 1}, "FFSFF", ".....", CatState::failing},
    {"with a success threshold of two, one success does not", {3, 2}, "FFSF", "...A", CatState::failed},
    {"a flapping program reaches the threshold", {3, 2}, "FSFSF", "....A", CatState::failed},
    {"a failure starts the count of successes again", {3, 2}, "FSFSSFF", ".......", CatState::failing},
    {"a failed cat is resolved at the success threshold", {2, 3}, "FFSSS", ".A..R", CatState::healthy},
    {"resolved comes once", {1, 1}, "FSSS", "AR..", CatState::healthy},
    {"a healthy cat is never resolved", {3, 1}, "FFSS", "....", CatState::healthy},
    {"not enough successes leave it failed", {1, 3}, "FSS", "A..", CatState::failed},
    {"failures after firing leave it failed", {3, 1}, "FFFF", "..A.", CatState::failed},
    {"idle puts both counts to nought", {3, 1}, "FFIFF", ".....", CatState::failing},
    {"idle breaks a row of successes", {1, 2}, "FSIS", "A...", CatState::failed},
    {"a failed cat stays so over idle and is resolved later", {1, 1}, "FIS", "A.R", CatState::healthy},
    {"idle is shown as idle", {3, 1}, "FFI", "...", CatState::idle},
    {"unknown changes no count", {3, 1}, "FFUF", "...A", CatState::failed},
    {"unknown does not break a row of successes", {1, 2}, "FSUS", "A.!R", CatState::healthy},
    {"unknowns in a row are told once", {3, 1}, "UUUUUU", "..!...", CatState::unknown},
    {"unknowns never fire", {1, 1}, "UUUU", "!...", CatState::unknown},
    {"a measured verdict ends the row of unknowns", {2, 1}, "USUSUU", ".....!", CatState::unknown},
    {"a new process starts with fresh counts", {3, 1}, "FFNFF", ".....", CatState::failing},
    {"a new process ends the row of unknowns", {2, 1}, "UNU", "...", CatState::starting},
    {"a new process of a failed cat is resolved by success", {1, 1}, "FNS", "A.R", CatState::healthy},
    {"a restart cat keeps counts over idle", {3, 9, true}, "FIFIF", "....A", CatState::failed},
    {"a restart cat keeps counts over new processes", {3, 9, true}, "FNFNF", "....A", CatState::failed},
    {"several restarts in one report count as several", {3, 9, true}, "3", "A", CatState::failed},
    {"a report beyond the threshold fires once", {3, 9, true}, "9", "A", CatState::failed},
    {"weights add up", {5, 9, true}, "22F", "..A", CatState::failed},
    {"a stable restart cat forgets old restarts", {3, 3, true}, "FFSSSFF", ".......", CatState::failing},
    {"before it was stable it does not", {3, 3, true}, "FFSSF", "....A", CatState::failed},
    {"nothing seen yet is starting", {3, 1}, "", "", CatState::starting},
    {"one unknown at first is still starting", {3, 1}, "U", ".", CatState::starting},
};

}  // namespace

BOOST_AUTO_TEST_CASE(sequences_of_verdicts_bring_about_what_the_rules_say) {
    for (const Row& row : kRows)
        BOOST_TEST_CONTEXT(row.promise << ": " << row.verdicts) {
            Threshold threshold(row.limits);
            BOOST_TEST(run(threshold, row.verdicts) == row.events);
            BOOST_TEST(threshold.state() == row.state);
        }
}

BOOST_AUTO_TEST_CASE(counts_never_wrap_around) {
    constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
    Threshold threshold({kMost, 1});
    threshold.on_verdict(Verdict::failure, kMost - 1);
    BOOST_TEST((threshold.on_verdict(Verdict::failure, kMost) == Event::fired));
    Threshold unstable({kMost, 2, true});
    unstable.on_verdict(Verdict::failure, kMost - 2);
    BOOST_TEST((unstable.on_verdict(Verdict::failure, 1) == Event::none));
    BOOST_TEST(unstable.failures() == kMost - 1);
}

BOOST_AUTO_TEST_SUITE_END()
