// Files in folders that may belong to somebody else.
#include "common/file/durable_file.h"

#include "t/fixture/basics.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(test_durable_file)

namespace {

constexpr uid_t kStranger = 4711;

struct stat status_of(const std::string& path) {
    struct stat status {};
    BOOST_TEST_REQUIRE(::lstat(path.c_str(), &status) == 0, path);
    return status;
}

// A folder that belongs to somebody else, and a file of root's beside it.
struct Strangers {
    TempDir dir;
    std::string folder = dir.file("spool");
    std::string secret = dir.write("secret", "of root", 0600);

    Strangers() {
        need_root("needs root, to give a folder away");
        fs::create_directory(folder);
        BOOST_TEST_REQUIRE(::chown(folder.c_str(), kStranger, kStranger) == 0);
    }
    // What is written is a new file of the stranger's, and root's file is as it was.
    void check_written() const {
        BOOST_TEST(static_cast<bool>(place_file(folder, "name", "text", 0600)));
        BOOST_TEST(read_file(folder + "/name") == "text");
        BOOST_TEST(S_ISREG(status_of(folder + "/name").st_mode));
        BOOST_TEST(status_of(folder + "/name").st_uid == kStranger);
        BOOST_TEST(!fs::exists(fs::symlink_status(folder + "/.name.new")));
        BOOST_TEST(read_file(secret) == "of root");
        BOOST_TEST(status_of(secret).st_uid == 0U);
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_hard_link_in_the_temporary_files_place_is_neither_written_nor_given_away) {
    const Strangers lab;
    fs::create_hard_link(lab.secret, lab.folder + "/.name.new");
    lab.check_written();
}

BOOST_AUTO_TEST_CASE(a_symbolic_link_or_a_pipe_in_the_temporary_files_place_goes) {
    const Strangers lab;
    fs::create_symlink(lab.secret, lab.folder + "/.name.new");
    lab.check_written();
    BOOST_TEST_REQUIRE(::mkfifo((lab.folder + "/.name.new").c_str(), 0600) == 0);
    lab.check_written();
}

BOOST_AUTO_TEST_CASE(a_folder_may_be_roots_link_to_another_place_and_nobody_elses) {
    const Strangers lab;
    fs::create_directory(lab.dir.file("other"));
    const std::string link = lab.dir.file("link");
    fs::create_symlink("other", link);
    BOOST_TEST(static_cast<bool>(replace_file(link, "name", "text", 0600)));
    BOOST_TEST(read_file(lab.dir.file("other/name")) == "text");
    BOOST_TEST_REQUIRE(::lchown(link.c_str(), kStranger, kStranger) == 0);
    const auto refused = replace_file(link, "name", "more", 0600);
    BOOST_TEST_REQUIRE(!refused);
    BOOST_TEST(refused.error().text().find("symbolic link of another user") != std::string::npos);
    BOOST_TEST(!remove_file(link, "name"));
    BOOST_TEST(read_file(lab.dir.file("other/name")) == "text");
}

BOOST_AUTO_TEST_CASE(a_file_system_that_syncs_no_folders_is_no_failure) {
    BOOST_TEST(static_cast<bool>(sync_folder("/proc/self")));  // EINVAL
    BOOST_TEST(!sync_folder("/proc/self/status"));
}

BOOST_AUTO_TEST_CASE(who_makes_and_removes_the_temporary_file_meanwhile_keeps_nothing_from_being_written) {
    const TempDir dir;
    const std::string temporary = dir.file(".name.new");
    const Subprocess other(
        [&] {
            for (;;) {
                ::close(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
                ::poll(nullptr, 0, 1);
                ::unlink(temporary.c_str());
                ::poll(nullptr, 0, 1);
            }
            return 0;
        },
        {});
    int failed = 0;
    for (int i = 0; i < 300; ++i)
        failed += place_file(dir.path().string(), "name", std::to_string(i), 0600) ? 0 : 1;
    BOOST_TEST(failed == 0);
    BOOST_TEST(read_file(dir.file("name")) == "299");
}

BOOST_AUTO_TEST_CASE(what_is_kept_is_not_replaced_by_what_is_kept_later) {
    const TempDir dir;
    const auto keep = [&] {
        return static_cast<bool>(keep_file(dir.path().string(), "name", "kept"));
    };
    BOOST_TEST(keep());  // there is none
    dir.write("name", "first");
    BOOST_TEST(keep());
    BOOST_TEST(!fs::exists(dir.file("name")));
    dir.write("name", "second");
    BOOST_TEST(keep());
    BOOST_TEST(read_file(dir.file("kept")) == "first");
    BOOST_TEST(read_file(dir.file("name")) == "second");
    BOOST_TEST(static_cast<bool>(keep_file(dir.file("missing"), "name", "kept")));
    BOOST_TEST(!keep_file(dir.path().string(), "name", std::string(300, 'x')));
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_made_and_a_missing_file_is_removed_already) {
    const TempDir dir;
    BOOST_TEST(static_cast<bool>(remove_file(dir.file("folder"), "name")));
    BOOST_TEST(static_cast<bool>(replace_file(dir.file("folder"), "name", "text", 0640)));
    BOOST_TEST(read_file(dir.file("folder/name")) == "text");
    BOOST_TEST((status_of(dir.file("folder/name")).st_mode & 0777U) == 0640U);
    BOOST_TEST(static_cast<bool>(remove_file(dir.file("folder"), "name")));
    BOOST_TEST(static_cast<bool>(remove_file(dir.file("folder"), "name")));
    BOOST_TEST(!replace_file(dir.file("folder/missing/deeper"), "name", "text", 0600));
}

BOOST_AUTO_TEST_SUITE_END()
