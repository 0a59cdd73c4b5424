#include "master/files/state_files.h"

#include "common/file/durable_file.h"

#include <algorithm>

namespace healthcheckd::master {

StateFiles::StateFiles(Loop& loop, Spawner& spawner, std::string dir, OnEnd on_end)
    : spawner_(spawner), dir_(std::move(dir)), on_end_(std::move(on_end)),
      deadline_(loop, [this] { on_late(); }) {}

StateFiles::~StateFiles() {
    for (const pid_t left : left_)
        spawner_.forget(left);
    if (pid_ != 0)
        spawner_.forget(pid_);
}

void StateFiles::write(const std::string& name, std::string text, mode_t mode) {
    waiting_[name] = {std::move(text), mode};
    if (writing_.empty())
        begin();
}

void StateFiles::begin() {
    if (left_.size() >= kMostLeft)
        return;
    writing_ = std::exchange(waiting_, {});
    ChildSpec spec;
    spec.title = "healthcheckd: state";
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
    auto child = spawner_.spawn(spec, [this](const ChildEnd& end) { on_child_end(end); });
    if (!child)
        return finish("no process could be started: " + child.error().text());
    pid_ = child->pid;
    late_ = false;
    report_ = std::move(child->report);
    deadline_.start(kLimit);
}

void StateFiles::on_late() {
    if (!std::exchange(late_, true)) {
        spawner_.kill(pid_);
        deadline_.start(kEndLimit);
        return;
    }
    left_.insert(std::exchange(pid_, 0));
    report_.reset();
    finish("the disk of stateDir does not answer");
}

void StateFiles::on_child_end(const ChildEnd& end) {
    if (left_.erase(end.pid) != 0) {
        if (writing_.empty() && !waiting_.empty())
            begin();
        return;
    }
    pid_ = 0;
    deadline_.stop();
    std::string failure;
    if (!end.clean()) {
        failure.resize(kMaxLine);
        const ssize_t n = ::read(report_.get(), failure.data(), failure.size());
        failure.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        if (failure.empty())
            failure = end.text();
    }
    finish(failure);
}

void StateFiles::finish(const std::string& failure) {
    for (const auto& [name, file] : std::exchange(writing_, {}))
        on_end_(name, failure);
    if (writing_.empty() && !waiting_.empty())
        begin();
}

}  // namespace healthcheckd::master
