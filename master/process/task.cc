#include "master/process/task.h"

#include "common/text/number.h"

#include <utility>

namespace healthcheckd::master {

Task::Task(Loop& loop, Spawner& spawner, std::function<void()> on_returned)
    : spawner_(spawner), on_returned_(std::move(on_returned)), deadline_(loop, [this] { on_deadline(); }) {}

Task::~Task() {
    for (const pid_t pid : left_)
        spawner_.forget(pid);
    if (!child_)
        return;
    spawner_.forget(child_->pid);
    spawner_.kill(child_->pid);
}

Result<void> Task::start(const ChildSpec& spec, Ways ways, Callbacks callbacks) {
    auto child = spawner_.spawn(spec, [this](const ChildEnd& end) { over(end); });
    if (!child)
        return child.error();
    child_ = std::move(*child);
    ways_ = ways;
    callbacks_ = std::move(callbacks);
    broken_.clear();
    signals_ = 0;
    reader_ = std::make_unique<ReportReader>(
        spawner_.reports(), std::move(child_->report),
        ReportReader::Limits{.lines_per_second = ways.lines_per_second},
        [this](std::string_view line) {
            if (!on_line(line))
                on_trouble("its process broke the protocol");
        },
        [this](std::string_view why) { on_trouble(why); });
    deadline_.start(ways.limit);
    return {};
}

bool Task::on_line(std::string_view line) {
    if (callbacks_.on_line)
        return callbacks_.on_line(line);
    Broken broken;
    if (!decode(line, broken))
        return false;
    if (broken_.empty())
        broken_ = broken.message;
    return true;
}

void Task::on_trouble(std::string_view why) {
    if (broken_.empty())
        broken_ = why;
    if (callbacks_.on_trouble)
        callbacks_.on_trouble(why);
    end();
}

void Task::extend(Milliseconds limit) {
    if (!child_ || signals_ > 0)
        return;
    ++deadline_id_;
    ways_.limit = limit;
    deadline_.start(limit);
}

void Task::end() {
    if (child_ && signals_ == 0)
        signal();
}

// The first time, or the second where the first was a request.
void Task::signal() {
    ++signals_;
    if (ways_.asks_first && signals_ == 1)
        spawner_.terminate(child_->pid);
    else
        spawner_.kill(child_->pid);
    deadline_.start(ways_.end_limit);
}

void Task::on_deadline() {
    if (signals_ >= (ways_.asks_first ? 2 : 1))
        return leave();
    // After a stall of the master its timers fire before lines that the child wrote long ago are read.
    if (signals_ == 0) {
        const std::uint64_t id = deadline_id_;
        reader_->drain();
        if (!child_ || id != deadline_id_ || signals_ > 0 || (callbacks_.on_late && !callbacks_.on_late()))
            return;
        if (broken_.empty())
            broken_ = "it was not done within " +
                      number_text(std::chrono::duration<double>(ways_.limit).count()) + " s";
    }
    signal();
}

void Task::leave() {
    const pid_t pid = child_->pid;
    left_.insert(pid);
    spawner_.on_end(pid, [this, pid](const ChildEnd&) {
        left_.erase(pid);
        if (on_returned_)
            on_returned_();
    });
    over(std::nullopt);
}

// Reads first what the child wrote before its end.
void Task::over(const std::optional<ChildEnd>& end) {
    reader_->drain();
    reader_.reset();
    child_.reset();
    deadline_.stop();
    failure_ = !end              ? "SIGKILL does not end it: it hangs in the kernel"
               : end->clean()    ? ""
               : broken_.empty() ? end->text()
                                 : broken_;
    const auto on_end = std::exchange(callbacks_, {}).on_end;
    on_end(end);
}

}  // namespace healthcheckd::master
