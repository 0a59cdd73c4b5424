#include "master/notice/spool_owner.h"

#include "t/fixture/basics.h"
#include "t/fixture/process/drop_capability.h"
#include "t/fixture/process/forked.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_spool_owner)

namespace {

constexpr uid_t kBefore = 65'534;
constexpr uid_t kAfter = 61'184;

struct stat status_of(const std::string& path) {
    struct stat status {};
    BOOST_TEST_REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_older_spool_goes_to_its_new_owner_and_nothing_that_it_only_points_to) {
    need_root("needs root, to give files away");
    const TempDir dir;
    const std::string secret = dir.write("secret", "root's", 0600);
    const std::string spool = dir.file("spool");
    std::filesystem::create_directory(spool);
    const std::string notice = dir.write("spool/1.mail.notice", "{}", 0600);
    std::filesystem::create_symlink(secret, dir.file("spool/2.mail.notice"));
    std::filesystem::create_hard_link(secret, dir.file("spool/3.mail.notice"));
    for (const std::string& path : {spool, notice})
        BOOST_TEST_REQUIRE(::chown(path.c_str(), kBefore, kBefore) == 0);
    BOOST_TEST_REQUIRE(::chmod(spool.c_str(), 0755) == 0);

    BOOST_TEST(static_cast<bool>(give_folder(spool, kAfter, kAfter)));
    for (const std::string& path : {spool, notice}) {
        BOOST_TEST(status_of(path).st_uid == kAfter);
        BOOST_TEST(status_of(path).st_gid == kAfter);
    }
    BOOST_TEST((status_of(spool).st_mode & 07777) == 0700U);
    BOOST_TEST(status_of(secret).st_uid == 0U);
    BOOST_TEST(status_of(dir.file("spool/2.mail.notice")).st_uid == 0U);
}

BOOST_AUTO_TEST_CASE(a_spool_is_closed_to_others_without_the_right_to_change_foreign_modes) {
    need_root("needs root, to give files away");
    const TempDir dir;
    for (const uid_t owner : {uid_t{0}, kBefore, kAfter}) {
        const std::string spool = dir.file("spool" + std::to_string(owner));
        std::filesystem::create_directory(spool);
        BOOST_TEST_REQUIRE(::chmod(spool.c_str(), 0777) == 0);
        BOOST_TEST_REQUIRE(::chown(spool.c_str(), owner, owner) == 0);
        Forked child([&](pid_t) {
            const bool dropped = drop_capability(CAP_FOWNER);
            const auto given = give_folder(spool, kAfter, kAfter);
            return dropped && given && *given ? 0 : 1;
        });
        BOOST_TEST(child.end() == "exit 0");
        BOOST_TEST(status_of(spool).st_uid == kAfter);
        BOOST_TEST((status_of(spool).st_mode & 07777) == 0700U);
    }
}

BOOST_AUTO_TEST_CASE(a_spool_that_is_a_link_is_not_followed) {
    need_root("needs root, to give files away");
    const TempDir dir;
    std::filesystem::create_directory(dir.file("roots"));
    std::filesystem::create_directory_symlink(dir.file("roots"), dir.file("spool"));
    BOOST_TEST(!give_folder(dir.file("spool"), kAfter, kAfter));
    BOOST_TEST(status_of(dir.file("roots")).st_uid == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
