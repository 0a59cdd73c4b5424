// Root opens and makes a log only where nobody can have led it elsewhere.
#include "common/file/log_file.h"

#include "t/fixture/basics.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <sys/stat.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_log_file)

namespace {

// What opening the log `path` says: "" when it was opened.
std::string refusal(const std::string& path, bool create = false) {
    const auto folder = open_log_folder(path, create);
    if (!folder)
        return folder.error().text();
    const auto file = open_log_file(*folder, path);
    return file ? "" : file.error().text();
}

void give_away(const std::string& path) {
    BOOST_TEST_REQUIRE(::lchown(path.c_str(), 1234, 1234) == 0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_log_and_its_folders_are_made_and_opened_again) {
    const TempDir dir;
    const std::string path = dir.file("a/b/cat1.log");
    BOOST_TEST(refusal(path) != "");
    BOOST_TEST(refusal(path, true) == "");
    BOOST_TEST(refusal(path) == "");
    struct stat status {};
    BOOST_TEST_REQUIRE(::stat(path.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 07777) == 0640u);
}

BOOST_AUTO_TEST_CASE(what_may_be_another_file_is_refused_with_the_reason_and_left_as_it_was) {
    const TempDir dir;
    const std::string path = dir.file("cat1.log");
    const std::string victim = dir.write("victim", "precious");
    const std::pair<std::function<void()>, std::string> rows[] = {
        {[&] { std::filesystem::create_symlink(victim, path); }, "is a symbolic link"},
        {[&] { std::filesystem::create_symlink(dir.file("not yet"), path); }, "is a symbolic link"},
        {[&] { std::filesystem::create_hard_link(victim, path); }, "hard link"},
        {[&] { ::mkfifo(path.c_str(), 0600); }, "is not a regular file"},
        {[&] { std::filesystem::create_directory(path); }, "is not a regular file"},
    };
    for (const auto& [make, why] : rows) {
        make();
        const std::string said = refusal(path, true);
        BOOST_TEST(said.starts_with(path), said);
        BOOST_TEST(said.find(why) != std::string::npos, said);
        std::filesystem::remove(path);
    }
    BOOST_TEST(!std::filesystem::exists(dir.file("not yet")));
    // A FIFO that has a reader can be opened, and is refused all the same.
    ::mkfifo(path.c_str(), 0600);
    const UniqueFd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    BOOST_TEST(refusal(path).find("is not a regular file") != std::string::npos);
    BOOST_TEST(read_file(victim) == "precious");
}

BOOST_AUTO_TEST_CASE(a_link_on_the_way_is_followed_only_where_nobody_else_could_have_put_it) {
    need_root("needs root, to give files away");
    const TempDir dir;
    std::filesystem::create_directory(dir.file("real"));
    std::filesystem::create_directory_symlink("real", dir.file("link"));
    BOOST_TEST(refusal(dir.file("link/cat1.log")) == "");
    BOOST_TEST(std::filesystem::exists(dir.file("real/cat1.log")));

    // A folder of the program's user: whoever has made the link, the user can make another one.
    std::filesystem::create_directories(dir.file("app/log"));
    std::filesystem::create_directory_symlink(dir.file("real"), dir.file("app/link"));
    give_away(dir.file("app"));
    BOOST_TEST(refusal(dir.file("app/log/cat1.log")) == "");
    BOOST_TEST(refusal(dir.file("app/link/cat2.log"), true) == dir.file("app/link") +
                                                                   " is a symbolic link: Too many levels of "
                                                                   "symbolic links");
    // One of the user's in a folder where all may write.
    std::filesystem::create_directory(dir.file("all"));
    ::chmod(dir.file("all").c_str(), 01777);
    std::filesystem::create_directory_symlink(dir.file("real"), dir.file("all/link"));
    BOOST_TEST(refusal(dir.file("all/link/cat2.log"), true) != "");
    // Nor from a folder of root's below.
    std::filesystem::create_directory_symlink(dir.file("real"), dir.file("app/log/link"));
    BOOST_TEST(refusal(dir.file("app/log/link/cat2.log"), true) != "");
    BOOST_TEST(!std::filesystem::exists(dir.file("real/cat2.log")));
}

BOOST_AUTO_TEST_CASE(links_in_a_circle_and_names_that_are_no_folders_end_the_walk) {
    const TempDir dir;
    std::filesystem::create_directory_symlink("b", dir.file("a"));
    std::filesystem::create_directory_symlink("a", dir.file("b"));
    BOOST_TEST(refusal(dir.file("a/cat1.log")).find("symbolic link") != std::string::npos);
    dir.write("file", "");
    BOOST_TEST(refusal(dir.file("file/cat1.log"), true) == "open " + dir.file("file") + ": Not a directory");
    BOOST_TEST(!open_folder("relative/path", {}));
}

BOOST_AUTO_TEST_CASE(whose_folders_a_path_leads_through_is_known) {
    need_root("needs root, to give files away");
    const TempDir dir;
    std::filesystem::create_directories(dir.file("a/b/c"));
    const auto foreign = [&](const WalkRules& rules = {}) {
        const auto folder = open_folder(dir.file("a/b/c"), rules);
        BOOST_TEST_REQUIRE(static_cast<bool>(folder));
        return folder->foreign;
    };
    BOOST_TEST(foreign() == "");
    give_away(dir.file("a/b"));
    BOOST_TEST(foreign() == dir.file("a/b"));
    BOOST_TEST(foreign({.self = 1234}) == "");
    ::chmod(dir.file("a").c_str(), 0775);
    BOOST_TEST(foreign() == dir.file("a"));
    ::chmod(dir.file("a").c_str(), 01777);
    BOOST_TEST(foreign() == dir.file("a/b"));
}

BOOST_AUTO_TEST_SUITE_END()
