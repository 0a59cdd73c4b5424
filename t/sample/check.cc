// A type of check that only a test has: fails when a file is there. Proves that one file and one row are enough.
#include "common/config/accessors.h"
#include "common/config/check_type.h"
#include "common/sandbox/sandbox.h"
#include "worker/probe/probe.h"

#include <unistd.h>

namespace healthcheckd {

namespace {

struct SampleCheck : SettingsOf<SampleCheck> {
    std::string file = "/nowhere";
};

constexpr Key kSampleKeys[] = {
    {.name = "sampleFile",
     .set = set_text<&SampleCheck::file, check_absolute_path>,
     .get = get_text<&SampleCheck::file>},
};

class SampleProbe final : public worker::Probe {
public:
    explicit SampleProbe(const CatConfig& cat) : file_(cat.own<SampleCheck>().file) {}
    worker::ProbeResult probe(const ProbeCommand&) override {
        const bool there = ::access(file_.c_str(), F_OK) == 0;
        return {.verdict = there ? Verdict::failure : Verdict::success,
                .value = there ? 1.0 : 0.0,
                .limit = 1,
                .unit = "files",
                .message = file_ + (there ? " is there" : " is not there")};
    }

private:
    std::string file_;
};

std::vector<JudgedBy> judged_by(const CatConfig&) {
    return {};
}

Scale scale(const CatConfig&) {
    return {"files", 1};
}

SandboxProfile profile(const CatConfig& cat) {
    SandboxProfile profile;
    profile.name = cat.type->name;
    profile.open_files = true;
    return profile;
}

}  // namespace

extern const CheckType kSampleCheck{
    .name = "sample",
    .make_settings = make_settings<SampleCheck>,
    .keys = kSampleKeys,
    .judged_by = judged_by,
    .scale = scale,
    .make_probe = worker::make_probe<SampleProbe>,
    .profile = profile,
};

}  // namespace healthcheckd
