// kill -9 at random moments, of the mailer and of healthcheckd with all its processes: nothing that has
// reached the spool is lost, and nothing is told twice but what was on its way in that moment.
//
// Each failure has a number: the HTTP status that the watched server made up for it. Which of them reached
// the spool is learnt by looking at its files as they appear.
#include "common/system/unique_fd.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/net/listener.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <poll.h>
#include <random>
#include <set>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_spool_kill)

namespace {

constexpr int kCats = 6;
constexpr int kFirstStatus = 400;
constexpr int kStatuses = 600;

// "cat3 HTTP 457"
std::string mark_of(const std::string& cat, const std::string& status) {
    return cat + " HTTP " + status;
}

// Answers GET /catN, each with its moods: well for a while, then ill with a new status at each request.
class MoodyServer {
public:
    MoodyServer() : thread_([this](const std::stop_token& stop) { serve(stop); }) {}
    int port() const { return listener_.port(); }
    void be_well() { well_ = true; }
    // A status was used twice: the numbers did not suffice.
    bool exhausted() const { return exhausted_; }

private:
    struct Mood {
        int next = kFirstStatus;
        bool ill = false;
        std::chrono::steady_clock::time_point until{};
    };
    int status_for(std::size_t cat) {
        if (well_)
            return 200;
        Mood& mood = moods_.at(cat % kCats);
        if (const auto now = std::chrono::steady_clock::now(); now >= mood.until) {
            mood.ill = !mood.ill;
            mood.until = now + std::chrono::milliseconds(std::uniform_int_distribution(50, 500)(random_));
        }
        if (!mood.ill)
            return 200;
        exhausted_ = exhausted_ || mood.next >= kFirstStatus + kStatuses;
        return mood.next++;
    }
    void serve(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            pollfd ready{listener_.get(), POLLIN, 0};
            if (::poll(&ready, 1, 50) != 1)
                continue;
            const UniqueFd connection(listener_.accept());
            const timeval limit{1, 0};
            (void)::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
            std::string request;
            std::array<char, 4096> piece;
            while (request.find("\r\n\r\n") == std::string::npos) {
                const ssize_t n = ::read(connection.get(), piece.data(), piece.size());
                if (n <= 0)
                    break;
                request.append(piece.data(), static_cast<std::size_t>(n));
            }
            const std::size_t at = request.find("/cat");
            if (at == std::string::npos)
                continue;
            const std::string answer =
                "HTTP/1.1 " + std::to_string(status_for(static_cast<std::size_t>(request[at + 4] - '0'))) +
                " moody\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            (void)::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        }
    }

    Listener listener_{AF_INET, 64};
    std::array<Mood, kCats> moods_{};
    std::minstd_rand random_{std::random_device{}()};
    std::atomic<bool> well_ = false;
    std::atomic<bool> exhausted_ = false;
    std::jthread thread_;
};

// Reads notices as they appear in a spool.
class SpoolWatch {
public:
    explicit SpoolWatch(std::string dir) : dir_(std::move(dir)), inotify_(::inotify_init1(IN_CLOEXEC)) {
        if (::inotify_add_watch(inotify_.get(), dir_.c_str(), IN_MOVED_TO) < 0)
            throw std::runtime_error("inotify_add_watch " + dir_);
        thread_ = std::jthread([this](const std::stop_token& stop) { look(stop); });
    }
    // The marks of all failures that reached the spool, as far as they could be read.
    std::set<std::string> failures() const {
        const std::scoped_lock lock(mutex_);
        return failures_;
    }
    std::size_t missed() const { return missed_; }
    std::size_t read() const { return read_; }

private:
    void look(const std::stop_token& stop) {
        alignas(inotify_event) std::array<char, 64 * 1024> buffer;
        while (!stop.stop_requested()) {
            pollfd ready{inotify_.get(), POLLIN, 0};
            if (::poll(&ready, 1, 50) != 1)
                continue;
            const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
            for (ssize_t at = 0; at < size;) {
                const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
                at += static_cast<ssize_t>(sizeof *event + event->len);
                // A pending notice becomes one in the next life, so it counts too.
                const std::string name = event->len > 0 ? event->name : "";
                if (name.ends_with(".notice") || name.ends_with(".pending"))
                    take(read_file(dir_ + '/' + name));
            }
        }
    }
    void take(const std::string& text) {
        const auto notice = nlohmann::json::parse(text, nullptr, false);
        if (notice.is_discarded()) {
            ++missed_;  // it was gone already
            return;
        }
        ++read_;
        if (notice["event"] != "failed")
            return;
        const std::string message = notice["message"];
        if (std::smatch found; std::regex_search(message, found, std::regex("HTTP (\\d+)"))) {
            const std::scoped_lock lock(mutex_);
            failures_.insert(mark_of(notice["cat"], found[1]));
        }
    }

    const std::string dir_;
    UniqueFd inotify_;
    mutable std::mutex mutex_;
    std::set<std::string> failures_;
    std::atomic<std::size_t> missed_ = 0, read_ = 0;
    std::jthread thread_;
};

std::string cats_at(int port) {
    std::string cats;
    for (int i = 0; i < kCats; ++i)
        cats += "cat" + std::to_string(i) + ": {program: web, type: http, host: 127.0.0.1, path: /cat" +
                std::to_string(i) + ", port: " + std::to_string(port) +
                ", initialDelaySeconds: 0, periodSeconds: 0.2, failureThreshold: 1, action: email, "
                "sendResolved: yes}\n";
    return cats;
}

bool nothing_waits(const std::string& state_dir) {
    return spooled(state_dir, ".message").empty() && spooled(state_dir, ".notice").empty() &&
           spooled(state_dir, ".pending").empty();
}

// The failures that a mail tells of: the summary lines of several, or the fields of one.
std::set<std::string> told_in(const ReadMail& mail) {
    static const std::regex kSummary("web http check failed[^\\n]* \\((cat\\d)\\): HTTP (\\d{3})");
    static const std::regex kSingle("\\nCat +(cat\\d)\\n[^]*\\nMessage +HTTP (\\d{3})");
    std::set<std::string> marks;
    for (std::sregex_iterator found(mail.body.begin(), mail.body.end(), kSummary), end; found != end; ++found)
        marks.insert(mark_of((*found)[1], (*found)[2]));
    std::smatch found;
    if (marks.empty() && mail.is_about("check failed") && std::regex_search(mail.body, found, kSingle))
        marks.insert(mark_of(found[1], found[2]));
    return marks;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_hundred_kills_lose_nothing_and_repeat_only_what_was_on_its_way) {
    constexpr int kKills = 100;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const SmtpSink sink(plain_sink());
    MoodyServer server;
    const TempDir state;
    std::filesystem::create_directory(state.file("spool"));
    ::chmod(state.path().c_str(), 0755);
    const SpoolWatch watch(state.file("spool"));
    std::minstd_rand random(std::random_device{}());
    const auto pause = [&] {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(std::uniform_int_distribution(100, 900)(random)));
    };
    const DaemonOptions options{
        .config_lines = plain_mail(sink, ", digestSeconds: 0, reminderSeconds: 0, maxPerHour: 3600"),
        .state_dir = state.path()};
    int kills = 0;
    while (kills < kKills) {
        Daemon daemon(supervisord.url(), cats_at(server.port()), options);
        BOOST_TEST_REQUIRE(daemon.wait_for_log("is reached"));
        pause();
        // The first mailer that dies early is replaced at once.
        if (const pid_t mailer = daemon.child("healthcheckd: mailer");
            mailer > 1 && ::kill(mailer, SIGKILL) == 0) {
            ++kills;
            pause();
        }
        daemon.wait_end(SIGKILL);
        ++kills;
    }
    server.be_well();
    Daemon daemon(supervisord.url(), cats_at(server.port()), options);
    BOOST_TEST(daemon.wait_for_state("cat0", [](const auto& cat) { return cat["state"] == "healthy"; }));
    BOOST_TEST(wait_until([&] { return nothing_waits(state.path()); }, 60s));
    BOOST_TEST(!server.exhausted());

    std::map<std::string, std::set<std::string>> ids;  // of the messages that told of a failure
    std::map<std::string, int> arrivals;               // of each message
    for (const ReadMail& mail : read_mails(sink)) {
        ++arrivals[mail.id];
        for (const std::string& mark : told_in(mail))
            ids[mark].insert(mail.id);
    }
    const std::set<std::string> spooled_failures = watch.failures();
    BOOST_TEST(spooled_failures.size() > 100u);
    for (const std::string& mark : spooled_failures)
        BOOST_TEST(ids.contains(mark), mark << " is lost");
    for (const auto& [mark, messages] : ids)
        BOOST_TEST(messages.size() == 1u, mark << " was told by " << messages.size() << " messages");
    // A kill between the server's 250 and the removal lets the same message come again, at most once a kill.
    int repeated = 0;
    for (const auto& [id, times] : arrivals)
        repeated += times - 1;
    BOOST_TEST(repeated <= kills);
    BOOST_TEST_MESSAGE(kills << " kills, " << spooled_failures.size() << " failures seen in the spool, "
                             << arrivals.size() << " messages, " << repeated << " repeated");
}

BOOST_AUTO_TEST_SUITE_END()
