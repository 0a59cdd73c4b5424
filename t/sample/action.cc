// An action that only a test has: says a word. Proves that one file and one row are enough.
#include "common/config/accessors.h"
#include "common/config/action_type.h"
#include "master/action/run.h"

namespace healthcheckd {

namespace {

struct SampleAction : SettingsOf<SampleAction> {
    std::string word = "nothing";
};

constexpr Key kSampleKeys[] = {
    {.name = "sampleWord",
     .set = set_text<&SampleAction::word, line_of<100>>,
     .get = get_text<&SampleAction::word>},
};

std::string plan(const master::ActionRequest& request) {
    return "say " + request.cat.own<SampleAction>().word;
}

master::ActionResult say(master::ActionRun& run) {
    run.stage(std::chrono::seconds(1), "says it");
    return {.ok = true, .message = "said " + run.request.cat.own<SampleAction>().word};
}

}  // namespace

extern const ActionType kSampleAction{
    .name = "sample",
    .rank = 9,
    .make_settings = make_settings<SampleAction>,
    .keys = kSampleKeys,
    .plan = plan,
    .run = say,
};

}  // namespace healthcheckd
