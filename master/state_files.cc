#include "master/state_files.h"

#include "common/durable_file.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

constexpr std::chrono::seconds kLimit{30};

}  // namespace

void StateFiles::write(const std::string& name, std::string text, mode_t mode) {
    waiting_[name] = {std::move(text), mode};
    if (writing_.empty())
        begin();
}

void StateFiles::begin() {
    writing_ = std::exchange(waiting_, {});
    ChildSpec spec;
    spec.title = "healthcheckd: state";
    spec.limit = kLimit;
    spec.main = [this](pid_t) {
        int status = 0;
        for (const auto& [name, file] : writing_) {
            const auto written = replace_file(dir_, name, file.text, file.mode);
            if (written || status != 0)
                continue;
            const std::string failure = written.error().text();
            (void)!::write(kReportFd, failure.data(), std::min(failure.size(), kMaxLine));
            status = 1;
        }
        return status;
    };
    auto child = spawner_.spawn(spec, [this](const ChildEnd& end) {
        std::string failure;
        if (!end.clean()) {
            failure.resize(kMaxLine);
            const ssize_t n = ::read(report_.get(), failure.data(), failure.size());
            failure.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
            if (failure.empty())
                failure = end.text();
        }
        finish(failure);
    });
    if (child)
        report_ = std::move(child->report);
    else
        finish("no process could be started: " + child.error().text());
}

void StateFiles::finish(const std::string& failure) {
    for (const auto& [name, file] : std::exchange(writing_, {}))
        on_end_(name, failure);
    if (!waiting_.empty())
        begin();
}

}  // namespace healthcheckd::master
