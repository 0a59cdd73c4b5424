#include "master/parentage.h"

#include <cerrno>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace healthcheckd::master {

namespace {

constexpr char kElsewhere[] = "supervisord is in another pid namespace (a container), where its numbers mean "
                              "other processes than here; run healthcheckd in there";

}  // namespace

void Parentage::use(const SupervisorLine& supervisord) {
    const bool known =
        elsewhere_ && supervisord.pid == supervisord_.pid && supervisord.listener == supervisord_.listener;
    supervisord_ = supervisord;
    if (known)
        return;
    ++question_;
    const pid_t listener = supervisord.listener;
    if (listener == kNoListener || listener == supervisord.pid)
        elsewhere_ = "";
    else if (listener == 0)
        elsewhere_ = kElsewhere;
    else {
        elsewhere_.reset();
        identify_(listener, [this, question = question_](const Result<ProcessReader::Process>& process) {
            if (question == question_)
                on_listener(process);
        });
    }
}

void Parentage::on_listener(const Result<ProcessReader::Process>& listener) {
    const bool ended = !listener && (listener.error().code == ENOENT || listener.error().code == ESRCH);
    if (listener)
        elsewhere_ = listener->inner != 0 && listener->inner == supervisord_.pid ? kElsewhere : "";
    else
        elsewhere_ = ended ? "" : "it cannot be seen who listens for supervisord: " + listener.error().text();
    for (const Waiting& each : std::exchange(waiting_, {}))
        answer(each.process, each.done);
    // What could not be seen is looked at again for the next answer.
    if (!listener && !ended)
        supervisord_ = {};
}

void Parentage::look(pid_t pid, OnSeen done) {
    identify_(pid, [this, done = std::move(done)](const Result<ProcessReader::Process>& process) {
        if (!process)
            done(process.error());
        else if (!elsewhere_)
            waiting_.push_back({*process, done});
        else
            answer(*process, done);
    });
}

void Parentage::answer(const ProcessReader::Process& process, const OnSeen& done) const {
    done(SeenProcess{process.start_ticks, process.ppid, stranger(process.ppid)});
}

std::string Parentage::stranger(pid_t parent) const {
    if (!elsewhere_->empty())
        return *elsewhere_;
    if (parent == supervisord_.listener)
        return {};
    if (supervisord_.pid == 0)
        return "supervisord does not say which process it is itself (getPID)";
    if (parent != supervisord_.pid)
        return fmt::format("its parent is pid {}, and supervisord says that it is pid {} itself: it is in "
                           "another pid namespace (a container), or on another machine (a forwarded port)",
                           parent, supervisord_.pid);
    return {};
}

}  // namespace healthcheckd::master
