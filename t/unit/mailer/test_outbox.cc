// The spool's rules, crash by crash: an outbox is dropped at some point and another one goes on from its
// files.
#include "t/fixture/checks.h"
#include "t/fixture/mail/outbox_lab.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <set>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(test_outbox)

namespace {

using Lab = OutboxLab;

}  // namespace

BOOST_AUTO_TEST_CASE(a_failure_and_its_recovery_are_told_and_leave_nothing_behind) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    lab.now += 60s;
    lab.happens(NoticeKind::recovered);
    BOOST_TEST(lab.tell_one() == "gateway http check recovered");
    BOOST_TEST(lab.spool.list(kNoticeFile).empty());
    BOOST_TEST(lab.spool.list(kMessageFile).empty());
    BOOST_TEST(lab.outbox->counters().sent == 2u);
    BOOST_TEST(lab.outbox->counters().waiting == 0u);
}

BOOST_AUTO_TEST_CASE(what_follows_within_the_digest_time_goes_into_one_message) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    lab.now += 2s;
    lab.happens(NoticeKind::failed, "cat2");
    lab.happens(NoticeKind::recovered);
    BOOST_TEST(lab.tell_one() == "");
    BOOST_TEST((lab.outbox->next_wake(lab.now) == kBegin + 10s));
    lab.now = kBegin + 10s;
    BOOST_TEST(lab.tell_one() == "1 check failed, 1 recovered");
}

BOOST_AUTO_TEST_CASE(that_a_server_refuses_us_is_said_once_and_kept_in_the_state_until_it_takes_a_mail) {
    const DeliveryResult refused{.outcome = Outcome::deferred,
                                 .message = "recipient: 504 5.5.2 need a full name",
                                 .concerns_channel = true,
                                 .retry_slowly = true,
                                 .refusal = "recipient 504 5.5.2"};
    Lab lab;
    lab.happens(NoticeKind::failed);
    const auto said = [&](std::string_view part) {
        return std::ranges::count_if(
            lab.said, [&](const std::string& each) { return each.find(part) != std::string::npos; });
    };
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(lab.tell_one(refused) == "gateway http check failed", i);
        BOOST_TEST(lab.tell_one(refused) == "", i);
        lab.now += 1080s;  // 15 minutes, and the fifth of them
    }
    BOOST_TEST(said("504 5.5.2") == 1);
    BOOST_TEST(lab.dead().empty());
    BOOST_TEST(lab.outbox->counters().failed == 0u);
    BOOST_TEST(lab.outbox->counters().trouble == "mail: recipient: 504 5.5.2 need a full name");
    // For another reason: said, too.
    DeliveryResult other = refused;
    other.message = "sender: 530 5.7.0 log in";
    other.refusal = "sender 530 5.7.0";
    BOOST_TEST(lab.tell_one(other) == "gateway http check failed");
    BOOST_TEST(said("530 5.7.0") == 1);
    lab.now += 1080s;
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    BOOST_TEST(lab.outbox->counters().trouble == "");
}

BOOST_AUTO_TEST_CASE(no_more_messages_per_hour_than_allowed_and_the_rest_in_one) {
    Lab lab;
    lab.config.notices = {.digest = 0s, .most_per_hour = 2};
    lab.start();
    for (int i = 0; i < 2; ++i) {
        lab.happens(NoticeKind::failed, "cat" + std::to_string(i));
        BOOST_TEST(lab.tell_one() != "");
        lab.now += 60s;
    }
    for (int i = 2; i < 7; ++i)
        lab.happens(NoticeKind::failed, "cat" + std::to_string(i));
    BOOST_TEST(lab.tell_one() == "");
    lab.now = kBegin + 3600s;
    BOOST_TEST(lab.tell_one() == "5 checks failed");
}

BOOST_AUTO_TEST_CASE(waits_double_up_to_a_quarter_of_an_hour_and_a_message_keeps_its_id) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    std::set<std::string> texts;
    std::chrono::milliseconds before{0};
    for (int i = 0; i < 12; ++i) {
        for (Outbox::Message* message : lab.outbox->due(lab.now)) {
            texts.insert(message->text);
            lab.outbox->report(*message, kServerDown, lab.now);
        }
        lab.outbox->scan();
        const auto wait =
            std::chrono::duration_cast<std::chrono::milliseconds>(lab.outbox->next_wake(lab.now) - lab.now);
        if (i == 1)
            BOOST_TEST((wait >= 4s && wait <= 6s), wait.count());
        BOOST_TEST((wait <= 1080s), wait.count());
        if (i > 1)
            BOOST_TEST((wait > before || wait >= 720s), wait.count());
        before = wait;
        lab.now += wait;
        if (i == 6)
            lab.start();  // a restart tries at once, with the same text
    }
    BOOST_TEST(texts.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_message_that_the_server_cannot_take_now_holds_up_those_after_it) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    BOOST_TEST(lab.tell_one(kServerDown) == "gateway http check failed");
    lab.now += 1s;
    lab.happens(NoticeKind::recovered);
    BOOST_TEST(lab.tell_one() == "");
    lab.now += 10s;
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    BOOST_TEST(lab.tell_one() == "gateway http check recovered");
}

BOOST_AUTO_TEST_CASE(a_message_that_fails_by_itself_again_and_again_lets_the_others_pass) {
    Lab lab;
    const DeliveryResult its_own{.outcome = Outcome::deferred, .message = "451 not this one"};
    lab.happens(NoticeKind::failed);
    for (int i = 0; i < 4; ++i) {
        BOOST_TEST(lab.tell_one(its_own) == "gateway http check failed");
        lab.now += 60s;
    }
    lab.now -= 59s;
    lab.happens(NoticeKind::failed, "cat2");
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    BOOST_TEST(lab.outbox->counters().sent == 1u);
    BOOST_TEST(lab.outbox->counters().waiting == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_refused_for_good_is_kept_with_the_reason_and_told) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    lab.tell({.outcome = Outcome::rejected, .message = "550 spam"});
    BOOST_TEST_REQUIRE(lab.dead().size() == 1u);
    BOOST_TEST(lab.dead()[0].starts_with(
        "X-Healthcheckd-Reason: 550 spam\r\nX-Healthcheckd-Recipient: a@test.local\r\n"));
    BOOST_TEST(lab.was_said("given up"));
    BOOST_TEST(lab.outbox->counters().waiting == 0u);
    BOOST_TEST(lab.outbox->counters().failed == 1u);
}

BOOST_AUTO_TEST_CASE(recipients_are_split_by_what_the_server_said_of_each) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    lab.tell({.outcome = Outcome::sent,
              .message = "ok",
              .exceptions = {{"a@test.local", Outcome::rejected, "550 nobody"},
                             {"b@test.local", Outcome::deferred, "450 later"}}});
    BOOST_TEST_REQUIRE(lab.dead().size() == 1u);
    BOOST_TEST(lab.dead()[0].find("X-Healthcheckd-Recipient: a@test.local\r\n") != std::string::npos);
    BOOST_TEST(lab.dead()[0].find("Recipient: b@") == std::string::npos);
    lab.now += 10s;
    lab.start();
    const auto due = lab.outbox->due(lab.now);
    BOOST_TEST_REQUIRE(due.size() == 1u);
    BOOST_TEST(due[0]->recipients == std::vector<std::string>{"b@test.local"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(after_five_days_a_message_is_given_up) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    lab.tell(kServerDown);
    lab.now += std::chrono::hours(24 * 5);
    lab.tell(kServerDown);
    BOOST_TEST_REQUIRE(lab.dead().size() == 1u);
    BOOST_TEST(lab.dead()[0].find("not delivered within 5 days: no answer") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_crash_between_message_and_notices_tells_once) {
    Lab lab;
    lab.happens(NoticeKind::failed);
    const auto files = lab.spool.list(kNoticeFile);
    BOOST_TEST_REQUIRE(files.size() == 1u);
    const std::string notice = *lab.spool.read(files[0]);
    lab.outbox->scan();
    BOOST_TEST(lab.outbox->due(lab.now).size() == 1u);
    // As if the notice had not been removed, and what was told had not been written.
    const auto message = lab.spool.list(kMessageFile);
    SpoolMessage as_written = *decode_message(*lab.spool.read(message[0]), message[0]);
    BOOST_TEST(as_written.notices == files, boost::test_tools::per_element());
    BOOST_TEST(static_cast<bool>(lab.spool.write(files[0], notice)));
    BOOST_TEST(static_cast<bool>(lab.spool.remove("told.json")));
    lab.start();
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    lab.now += 60s;
    BOOST_TEST(lab.tell_one() == "");
    lab.happens(NoticeKind::recovered);
    BOOST_TEST(lab.tell_one() == "gateway http check recovered");
}

BOOST_AUTO_TEST_CASE(an_action_of_an_earlier_life_is_told_as_not_finished) {
    Lab lab;
    Incident cut = lab.incident(NoticeKind::failed);
    cut.action = &kRestartAction;
    BOOST_TEST(static_cast<bool>(lab.spool.put_pending(cut)));
    lab.start("life");
    BOOST_TEST(lab.tell_one() == "");
    lab.start("the next life");
    lab.outbox->scan();
    const auto due = lab.outbox->due(lab.now);
    BOOST_TEST_REQUIRE(due.size() == 1u);
    BOOST_TEST(due[0]->text.find("healthcheckd ended while it was under way") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_action_that_ended_leaves_nothing_pending) {
    Lab lab;
    Incident whole = lab.incident(NoticeKind::failed);
    whole.action = &kExecAction;
    BOOST_TEST(static_cast<bool>(lab.spool.put_pending(whole)));
    BOOST_TEST(static_cast<bool>(lab.spool.put(whole, "mail", {})));
    BOOST_TEST(lab.spool.list(kPendingFile).empty());
    BOOST_TEST(lab.spool.list(kNoticeFile).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_spool_has_one_mailer_and_a_spool_that_was_taken_away_is_noticed) {
    Lab lab;
    auto first = lab.spool.lock();
    BOOST_TEST_REQUIRE(static_cast<bool>(first));
    const auto second = lab.spool.lock();
    BOOST_TEST_REQUIRE(!second);
    BOOST_TEST(second.error().what.starts_with("another healthcheckd uses "));
    first->reset();
    BOOST_TEST(static_cast<bool>(lab.spool.lock()));
    BOOST_TEST(lab.spool.usable());
    std::filesystem::remove_all(lab.spool.dir());
    BOOST_TEST(!lab.spool.usable());
}

BOOST_AUTO_TEST_CASE(damaged_files_are_put_aside_and_stop_nobody) {
    Lab lab;
    BOOST_TEST(static_cast<bool>(lab.spool.write("x.0.notice", "{ no notice")));
    BOOST_TEST(static_cast<bool>(lab.spool.write("y.mail.message", "")));
    BOOST_TEST(static_cast<bool>(lab.spool.write("told.json", "[]")));
    lab.happens(NoticeKind::failed);
    lab.start();
    BOOST_TEST(lab.tell_one() == "gateway http check failed");
    BOOST_TEST(lab.dead().size() == 2u);
    BOOST_TEST(lab.outbox->counters().waiting == 0u);
}

BOOST_AUTO_TEST_CASE(a_full_spool_takes_no_more_and_the_next_message_says_how_many_were_lost) {
    Lab lab;
    for (int i = 0; i < 1000; ++i)
        std::ofstream(lab.spool.dir() + "/" + std::to_string(i) + ".part");
    const auto refused = lab.spool.put(lab.incident(NoticeKind::failed), "mail", {});
    BOOST_TEST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == ENOSPC);
    for (int i = 0; i < 1000; ++i)
        std::filesystem::remove(lab.spool.dir() + "/" + std::to_string(i) + ".part");
    lab.outbox->note_lost(3);
    lab.happens(NoticeKind::failed);
    lab.outbox->scan();
    const auto due = lab.outbox->due(lab.now);
    BOOST_TEST_REQUIRE(due.size() == 1u);
    BOOST_TEST(due[0]->text.find("3 earlier notices were lost") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(five_hundred_notices_are_all_named) {
    Lab lab;
    for (int i = 0; i < 500; ++i)
        lab.happens(NoticeKind::failed, "cat" + std::to_string(i) + "x");
    lab.outbox->scan();
    const auto due = lab.outbox->due(lab.now);
    BOOST_TEST_REQUIRE(due.size() == 1u);
    for (int i = 0; i < 500; ++i)
        BOOST_TEST(due[0]->text.find("(cat" + std::to_string(i) + "x)") != std::string::npos, i);
}

BOOST_AUTO_TEST_SUITE_END()
