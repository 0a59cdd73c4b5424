// What the outbox keeps in order, what it drops, and what it does not lose: with servers that refuse,
// recipients that are put off, disks that are full, and clocks that are wrong.
#include "t/fixture/checks.h"
#include "t/fixture/mail/outbox_lab.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(test_outbox_order)

namespace {

using Lab = OutboxLab;
using Addresses = std::vector<std::string>;
namespace fs = std::filesystem;

const DeliveryResult kRefused{.outcome = Outcome::rejected, .message = "554 no"};
const DeliveryResult kDelivered{.outcome = Outcome::sent, .message = "ok"};
constexpr char kHook[] = "webhook:hook";

void add_hook(Lab& lab, WebhookFormat format) {
    add_webhook(lab.config, "hook").format = format;
    lab.start();
}

// The one message that is due, which is in flight from now on.
Outbox::Message& due_one(Lab& lab) {
    lab.outbox->scan();
    const auto due = lab.outbox->due(lab.now);
    BOOST_TEST_REQUIRE(due.size() == 1u);
    return *due[0];
}

// Makes `path` a folder, which no file can replace, and back.
class Obstacle {
public:
    explicit Obstacle(const std::string& path) : path_(path) {
        fs::remove_all(path_);
        fs::create_directories(path_ + "/x");
    }
    ~Obstacle() { fs::remove_all(path_); }

private:
    std::string path_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_check_that_goes_on_failing_does_not_fill_the_spool_of_a_dead_channel) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    BOOST_TEST(lab.tell_one(kServerDown) == "gateway http check failed");
    for (int i = 0; i < 20; ++i) {
        lab.now += 1s;
        lab.happens(NoticeKind::failed);
        lab.happens(NoticeKind::failed, "cat2");
        lab.tell(kServerDown);
        BOOST_TEST(lab.spool.list(kNoticeFile).size() == 1u);
        if (i == 10)
            lab.start();
    }
    lab.now += 1000s;
    while (!lab.tell().empty())
        lab.now += 20s;
    BOOST_TEST(lab.outbox->counters().waiting == 0u);
    // None of them is forgotten.
    lab.now = kBegin + 3700s;
    lab.happens(NoticeKind::failed, "cat2");
    BOOST_TEST(due_one(lab).text.find("20 firings") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_waits_for_the_next_hour_does_not_fill_the_spool) {
    Lab lab;
    lab.config.notices = {.digest = 0s, .most_per_hour = 1};
    lab.start();
    lab.happens(NoticeKind::failed);
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    for (int i = 0; i < 20; ++i) {
        lab.now += 1s;
        lab.happens(NoticeKind::failed, "cat2");
        BOOST_TEST(lab.tell_one() == "");
    }
    BOOST_TEST(lab.spool.list(kNoticeFile).size() == 1u);
}

BOOST_AUTO_TEST_CASE(one_channel_cannot_take_the_room_of_the_others) {
    Lab lab;
    for (int i = 0; i < 930; ++i)
        std::ofstream(lab.spool.dir() + "/" + std::to_string(i) + ".mail.notice");
    const auto refused = lab.spool.put(lab.incident(NoticeKind::failed), "mail", {});
    BOOST_TEST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == ENOSPC);
    BOOST_TEST(static_cast<bool>(lab.spool.put(lab.incident(NoticeKind::failed), kHook, {})));
}

BOOST_AUTO_TEST_CASE(an_action_that_began_with_room_in_the_spool_ends_with_it) {
    Lab lab;
    Incident incident = lab.incident(NoticeKind::failed);
    incident.action = &kExecAction;
    BOOST_TEST(static_cast<bool>(lab.spool.put_pending(incident)));
    for (int i = 0; i < 1000; ++i)
        std::ofstream(lab.spool.dir() + "/" + std::to_string(i) + ".part");
    BOOST_TEST(static_cast<bool>(lab.spool.put(incident, "mail", {})));
    BOOST_TEST(lab.spool.list(kPendingFile).empty());
    BOOST_TEST(lab.spool.list(kNoticeFile).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_notice_that_is_lost_is_not_told_with_an_unknown_end) {
    Lab lab;
    Incident incident = lab.incident(NoticeKind::failed);
    incident.action = &kExecAction;
    BOOST_TEST(static_cast<bool>(lab.spool.put_pending(incident)));
    const Obstacle obstacle(lab.spool.dir() + '/' + incident.request.notice_id + ".mail.notice");
    BOOST_TEST(!lab.spool.put(incident, "mail", {}));
    BOOST_TEST(lab.spool.list(kPendingFile).empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_call_is_put_aside_and_the_others_are_told) {
    Lab lab;
    add_hook(lab, WebhookFormat::feishu);
    SpoolMessage damaged;
    damaged.channel = kHook;
    damaged.text = R"({"msg_type":"te)";
    BOOST_TEST(static_cast<bool>(lab.spool.write("1.webhook.hook.message", encode_message(damaged))));
    std::ofstream(lab.spool.dir() + "/2.mail.message") << std::string(4'500'000, 'x');
    lab.happens(NoticeKind::failed);
    lab.start();
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    BOOST_TEST(lab.dead().size() == 2u);
    BOOST_TEST(lab.spool.list(kMessageFile).empty());
    BOOST_TEST(lab.was_said("its call is no JSON"));
}

BOOST_AUTO_TEST_CASE(a_notice_that_cannot_be_read_is_put_aside) {
    Lab lab;
    std::ofstream(lab.spool.dir() + "/1.mail.notice") << std::string(4'500'000, 'x');
    lab.outbox->scan();
    BOOST_TEST(lab.spool.list(kNoticeFile).empty());
    BOOST_TEST(lab.dead().size() == 1u);
    BOOST_TEST(lab.was_said("1.mail.notice"));
}

BOOST_AUTO_TEST_CASE(a_call_holds_no_more_than_a_receiver_takes_and_all_is_told) {
    Lab lab;
    lab.config.notices = {.digest = 0s};
    add_hook(lab, WebhookFormat::json);
    for (int i = 0; i < 150; ++i) {
        Incident incident = lab.incident(NoticeKind::failed, "cat" + std::to_string(i));
        incident.result.output = std::string(8000, 'x');
        BOOST_TEST_REQUIRE(static_cast<bool>(lab.spool.put(incident, kHook, {})));
    }
    std::size_t told = 0;
    lab.outbox->scan();
    for (auto due = lab.outbox->due(lab.now); !due.empty(); due = lab.outbox->due(lab.now)) {
        BOOST_TEST(due[0]->text.size() < 600'000u);
        const std::string& text = due[0]->text;
        for (std::size_t at = 0; (at = text.find("\"programState\"", at)) != std::string::npos; ++at)
            ++told;
        lab.outbox->report(*due[0], kDelivered, lab.now);
    }
    BOOST_TEST(told == 150u);
}

BOOST_AUTO_TEST_CASE(a_recipient_who_was_put_off_gets_the_failure_before_the_recovery) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    lab.tell({.outcome = Outcome::sent,
              .message = "ok",
              .exceptions = {{"b@test.local", Outcome::deferred, "451"}}});
    lab.now += 1s;
    lab.happens(NoticeKind::recovered);
    lab.now += 1s;
    BOOST_TEST(lab.tell_one() == "");  // the digest
    lab.start();
    lab.now = kBegin + 10s;
    Outbox::Message& failure = due_one(lab);
    BOOST_TEST(failure.recipients == Addresses{"b@test.local"}, boost::test_tools::per_element());
    lab.outbox->report(failure, {.outcome = Outcome::deferred, .message = "451"}, lab.now);
    // The others do not wait.
    Outbox::Message& recovery = due_one(lab);
    BOOST_TEST(recovery.subject.ends_with("recovered"));
    BOOST_TEST(recovery.recipients == (Addresses{"a@test.local", "c@test.local"}),
               boost::test_tools::per_element());
    lab.outbox->report(recovery, kDelivered, lab.now);
    BOOST_TEST(lab.outbox->due(lab.now).empty());
    BOOST_TEST((lab.outbox->next_wake(lab.now) > lab.now));
    lab.now += 60s;
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    Outbox::Message& last = due_one(lab);
    BOOST_TEST(last.subject.ends_with("recovered"));
    BOOST_TEST(last.recipients == Addresses{"b@test.local"}, boost::test_tools::per_element());
    lab.outbox->report(last, kDelivered, lab.now);
    BOOST_TEST(lab.outbox->counters().waiting == 0u);
}

BOOST_AUTO_TEST_CASE(no_recovery_passes_a_failure_that_fails_by_itself) {
    Lab lab;
    const DeliveryResult its_own{.outcome = Outcome::deferred, .message = "451 not this one"};
    lab.happens(NoticeKind::failed);
    for (int i = 0; i < 4; ++i) {
        lab.tell(its_own);
        lab.now += 60s;
    }
    lab.now -= 59s;
    lab.happens(NoticeKind::recovered);
    lab.happens(NoticeKind::failed, "cat2");
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    BOOST_TEST(lab.tell_one() == "");
    BOOST_TEST((lab.outbox->next_wake(lab.now) > lab.now));
    lab.now += 60s;
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    BOOST_TEST(lab.tell_one() == "gateway http check recovered");
}

BOOST_AUTO_TEST_CASE(a_recovery_that_is_noted_twice_behind_its_failure_is_told_once) {
    for (const bool restarts : {false, true}) {
        Lab lab;
        lab.happens(NoticeKind::failed);
        lab.tell(kServerDown);
        lab.happens(NoticeKind::recovered);
        lab.happens(NoticeKind::recovered);
        BOOST_TEST(lab.tell_one(kServerDown) == "");
        lab.now += 60s;
        if (restarts)
            lab.start();
        std::vector<std::string> told;
        for (int i = 0; i < 5; ++i, lab.now += 60s)
            told.push_back(lab.tell_one());
        BOOST_TEST(std::ranges::count(told, "gateway http check failed") == 1);
        BOOST_TEST(std::ranges::count(told, "gateway http check recovered") == 1);
        BOOST_TEST(lab.outbox->counters().waiting == 0u);
    }
}

BOOST_AUTO_TEST_CASE(what_was_given_up_has_no_recovery_and_is_told_anew) {
    for (const bool refused : {true, false}) {
        Lab lab;
        lab.happens(NoticeKind::failed);
        lab.tell(refused ? kRefused : kServerDown);
        if (!refused) {
            lab.now += std::chrono::hours(24 * 5);
            lab.tell(kServerDown);
        }
        BOOST_TEST(lab.dead().size() == 1u);
        lab.start();
        lab.now += 60s;
        lab.happens(NoticeKind::recovered);
        BOOST_TEST(lab.tell_one() == "");
        lab.happens(NoticeKind::failed);
        BOOST_TEST(lab.tell_one() == "gateway http check failed");
        lab.now += 60s;
        lab.happens(NoticeKind::recovered);
        BOOST_TEST(lab.tell_one() == "gateway http check recovered");
    }
}

BOOST_AUTO_TEST_CASE(a_reminder_that_was_given_up_leaves_the_recovery) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    lab.now += 3700s;
    lab.happens(NoticeKind::failed);
    BOOST_TEST(lab.tell_one(kRefused) == "gateway http check failed (reminder)");
    lab.now += 60s;
    lab.happens(NoticeKind::recovered);
    BOOST_TEST(lab.tell_one() == "gateway http check recovered");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_kept_as_given_up_is_not_dropped) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    fs::remove_all(lab.spool.dead_dir());
    std::ofstream(lab.spool.dead_dir()) << "no folder";
    lab.tell(kRefused);
    BOOST_TEST(lab.outbox->counters().waiting == 1u);
    BOOST_TEST(lab.outbox->counters().failed == 0u);
    BOOST_TEST(lab.spool.list(kMessageFile).size() == 1u);
    fs::remove(lab.spool.dead_dir());
    lab.now += 60s;
    lab.tell(kRefused);
    BOOST_TEST(lab.dead().size() == 1u);
    BOOST_TEST(lab.outbox->counters().waiting == 0u);
}

BOOST_AUTO_TEST_CASE(losses_that_a_refused_message_told_of_are_told_by_the_next) {
    Lab lab;
    lab.outbox->note_lost(3);
    lab.happens(NoticeKind::failed);
    lab.tell(kRefused);
    lab.start();
    lab.now += 60s;
    lab.happens(NoticeKind::failed, "cat2");
    BOOST_TEST(due_one(lab).text.find("3 earlier notices were lost") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_puts_no_recovery_before_its_failure) {
    Lab lab;
    Incident failure = lab.incident(NoticeKind::failed);
    failure.request.notice_id = "id9";
    failure.request.run_id = "an earlier life";
    BOOST_TEST(static_cast<bool>(lab.spool.put(failure, "mail", {})));
    Incident recovery = lab.incident(NoticeKind::recovered);
    recovery.request.notice_id = "id1";
    BOOST_TEST(static_cast<bool>(lab.spool.put(recovery, "mail", {})));
    BOOST_TEST(lab.tell_one() == "1 check failed, 1 recovered");
    // Messages too: the older one first.
    lab.config.notices = {.digest = 0s};
    lab.start();
    lab.now += 60s;
    lab.happens(NoticeKind::failed);
    lab.outbox->scan();
    BOOST_TEST(lab.tell_one(kServerDown) == "gateway http check failed");
    const auto before = lab.spool.list(kMessageFile);
    lab.now -= 3600s;
    lab.happens(NoticeKind::failed, "cat2");
    const DeliveryResult its_own{.outcome = Outcome::deferred, .message = "451 not this one"};
    for (int i = 0; i < 6; ++i) {
        lab.tell(its_own);
        lab.now += 60s;
    }
    const auto after = lab.spool.list(kMessageFile);
    BOOST_TEST_REQUIRE(after.size() == 2u);
    BOOST_TEST(after[0] == before[0]);
}

BOOST_AUTO_TEST_CASE(a_message_made_before_the_clock_was_set_is_not_five_days_old) {
    Lab lab;
    lab.now = Outbox::Time(100s);
    lab.happens(NoticeKind::failed);
    lab.tell(kServerDown);
    lab.now = kBegin;
    lab.tell(kServerDown);
    BOOST_TEST(lab.dead().empty());
    BOOST_TEST(lab.outbox->counters().waiting == 1u);
    lab.now += std::chrono::hours(24 * 5);
    lab.tell(kServerDown);
    BOOST_TEST(lab.dead().size() == 1u);
}

BOOST_AUTO_TEST_CASE(no_notice_goes_before_what_it_told_is_saved) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    {
        const Obstacle obstacle(lab.spool.dir() + "/told.json");
        BOOST_TEST(lab.tell_one() == "gateway http check failed");
        BOOST_TEST(lab.spool.list(kNoticeFile).size() == 1u);
        lab.now += 60s;
        BOOST_TEST(lab.tell_one() == "");
    }
    lab.outbox->scan();
    BOOST_TEST(lab.spool.list(kNoticeFile).empty());
    lab.start();
    lab.happens(NoticeKind::recovered);
    BOOST_TEST(lab.tell_one() == "gateway http check recovered");
}

BOOST_AUTO_TEST_SUITE_END()
