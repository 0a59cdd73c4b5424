#include "master/entry/trial.h"

#include "common/sandbox/sandbox.h"
#include "common/wire/channel.h"
#include "common/wire/say.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

namespace healthcheckd::master {

namespace {

constexpr Milliseconds kLimit{3'000};

int live_briefly(SandboxLevel level, const ChildUser& user, pid_t master) {
    SandboxProfile profile;
    profile.name = "trial";
    profile.uid = user.uid;
    profile.gid = user.gid;
    const auto confined = enter_sandbox(profile, level, master);
    if (confined)
        return 0;
    say(Broken{confined.error().text()});
    return 1;
}

std::string reason_in(const UniqueFd& report) {
    std::array<char, kMaxLine> buffer;
    const ssize_t n = ::read(report.get(), buffer.data(), buffer.size());
    std::string_view line(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    line = line.substr(0, line.find('\n'));
    LinkLine decoded;
    const bool told = decode(line, decoded) && std::holds_alternative<Broken>(decoded);
    return told ? std::get<Broken>(decoded).message : "";
}

}  // namespace

void try_child(Spawner& spawner, SandboxLevel level, const std::function<void(Result<void>)>& done) {
    ChildSpec spec;
    spec.title = "healthcheckd: trial";
    spec.limit = kLimit;
    spec.user = spawner.uids().take();
    spec.main = [level, user = spec.user](pid_t master) {
        return live_briefly(level, *user, master);
    };
    const auto report = std::make_shared<UniqueFd>();
    auto child = spawner.spawn(spec, [report, done](const ChildEnd& end) {
        const std::string why = end.is_exit(1) ? reason_in(*report) : "";
        done(why.empty() ? Result<void>() : Error{why});
    });
    if (!child)
        return done({});
    *report = std::move(child->report);
}

}  // namespace healthcheckd::master
