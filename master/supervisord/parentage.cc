#include "master/supervisord/parentage.h"

#include <cerrno>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace healthcheckd::master {

namespace {

constexpr char kElsewhere[] = "supervisord is in another pid namespace (a container), where its numbers mean "
                              "other processes than here; run healthcheckd in there";

// The explanation used when pid 1 is all that is known of supervisord.
constexpr char kUnproven[] = "supervisord says that it is process 1, and it cannot be seen that process 1 "
                             "here is the one that answers: it may be "
                             "in another pid namespace (a container); a unix socket in supervisordUrl "
                             "(unix:///path) shows which it is";

bool is_absent(const Error& error) {
    return error.code == ENOENT || error.code == ESRCH;
}

}  // namespace

void Parentage::use(const SupervisorLine& supervisord) {
    const bool known =
        elsewhere_ && supervisord.pid == supervisord_.pid && supervisord.listener == supervisord_.listener;
    supervisord_ = supervisord;
    if (known)
        return;
    ++question_;
    const pid_t listener = supervisord.listener;
    if (listener == 0)
        settle(kElsewhere, false, false);
    else if (listener == kNoListener && port_ != 0 && supervisord.pid != 0)
        ask_about_port();
    else if (listener == kNoListener || listener == supervisord.pid)
        settle("", listener != kNoListener, false);
    else
        ask_about_listener(listener);
}

void Parentage::ask_about_listener(pid_t listener) {
    elsewhere_.reset();
    identify_(listener, [this, question = question_](const Result<ProcessReader::Process>& process) {
        if (question == question_)
            on_listener(process);
    });
}

void Parentage::ask_about_port() {
    elsewhere_.reset();
    holds_(supervisord_.pid, port_, [this, question = question_](const Result<bool>& held) {
        if (question == question_)
            on_held(held);
    });
}

// Process 1 never daemonizes, so another process that listens passes connections on, to an unknown one.
void Parentage::on_listener(const Result<ProcessReader::Process>& listener) {
    const bool ended = !listener && is_absent(listener.error());
    if (!listener && !ended)
        settle("it cannot be seen who listens for supervisord: " + listener.error().text(), false, true);
    else if (listener && listener->inner != 0 && listener->inner == supervisord_.pid)
        settle(kElsewhere, false, false);
    else
        settle(supervisord_.pid == 1 ? kUnproven : "", ended, false);
}

// A process that passes connections on owns the socket, and is not supervisord. Then
// supervisord's pid has to do.
void Parentage::on_held(const Result<bool>& held) {
    const bool proven = held && *held;
    const bool for_good = held || held.error().code == EACCES || held.error().code == EPERM;
    settle(!proven && supervisord_.pid == 1 ? kUnproven : "", proven, !for_good);
}

void Parentage::settle(std::string elsewhere, bool proven, bool again) {
    elsewhere_ = std::move(elsewhere);
    proven_ = proven;
    for (const Waiting& each : std::exchange(waiting_, {}))
        answer(each.process, each.done);
    if (again)
        supervisord_ = {};
}

void Parentage::look(pid_t pid, OnSeen done) {
    identify_(pid, [this, done = std::move(done)](const Result<ProcessReader::Process>& process) {
        if (elsewhere_)
            answer(process, done);
        else
            waiting_.push_back({process, done});
    });
}

void Parentage::answer(const Result<ProcessReader::Process>& process, const OnSeen& done) const {
    if (process)
        done(SeenProcess{process->start_ticks, process->ppid, stranger(process->ppid), proven_});
    else if (is_absent(process.error()) && !elsewhere_->empty())
        done(SeenProcess{0, 0, *elsewhere_, false});
    else
        done(process.error());
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
