// Hostile and damaged files are refused quickly; files that others could change are refused, whatever is in
// them.
#include "t/fixture/config_text.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_config_limits)

namespace {

std::string repeated(const std::string& text, std::size_t times) {
    std::string out;
    out.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i)
        out += text;
    return out;
}

// CPU time, so that a busy machine does not fail the test.
double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

constexpr double kSanitizerAllowance =
#ifdef __SANITIZE_ADDRESS__
    10;
#else
    1;
#endif

bool has_error(const LoadedConfig& loaded, const std::string& part) {
    for (const Diagnostic& d : loaded.diagnostics)
        if (d.severity == Diagnostic::Severity::error && d.text.find(part) != std::string::npos)
            return true;
    return false;
}

}  // namespace

BOOST_AUTO_TEST_CASE(bombs_are_refused_within_a_second) {
    std::string aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string n = std::to_string(i);
        const std::string before = "*a" + std::to_string(i - 1);
        aliases += "a" + n + ": &a" + n + " [" + before + repeated(", " + before, 8) + "]\n";
    }
    const struct {
        const char* name;
        std::string text;
        const char* error;
    } bombs[] = {
        {"10 MB", repeated("a: b\n", 2'000'000), "larger than 1 MB"},
        {"depth by brackets", "a: " + repeated("[", 40'000) + repeated("]", 40'000), "deeper than 20 levels"},
        {"depth by braces", "a: " + repeated("{a: ", 49'000), "deeper than 20 levels"},
        {"many brackets", repeated("[", 999'999), "more than 50000 brackets"},
        {"brackets for a key", repeated("[", 49'999), "a key must be a text"},
        {"depth by dashes", repeated("- ", 500'000), "deeper than 20 levels"},
        {"depth by question marks", repeated("? ", 500'000), "key must be a text"},
        {"alias bomb", aliases, "anchors"},
        {"many items", "a: [" + repeated("b,", 490'000) + "b]", "more than 50000 keys and values"},
        {"many lines", repeated("- a\n", 249'000), "more than 50000 keys and values"},
        {"many cats",
         [] {
             std::string text;
             for (int i = 0; i < 4001; ++i)
                 text += "c" + std::to_string(i) + ": {program: a, action: restart}\n";
             return text;
         }(),
         "more than 4000 cats"},
        {"many unknown keys",
         [] {
             std::string text = "cat1:\n";
             for (int i = 0; i < 24'000; ++i)
                 text += " periodSecond" + std::to_string(i) + ": 1\n";
             return text;
         }(),
         "unknown key"},
        {"many duplicates", "cat1:\n" + repeated(" port: 1\n", 24'000), "duplicate key"},
        {"one long text", "cat1: {program: " + std::string(990'000, 'a') + "}", "longer than 255 bytes"},
        {"deep JSON", "cat1: {program: a, json: '" + repeated("[", 40'000) + "'}", "longer than 32 KB"},
        {"exclamation marks", repeated("!", 990'000), ""},
        {"percent lines", repeated("%a\n", 330'000), ""},
    };
    for (const auto& bomb : bombs) {
        const double before = cpu_seconds();
        const LoadedConfig loaded = master::parse_config(bomb.text, "t");
        const double took = cpu_seconds() - before;
        BOOST_TEST(loaded.config == nullptr, bomb.name);
        BOOST_TEST(has_error(loaded, bomb.error), bomb.name << ": " << complaints(loaded).substr(0, 300));
        BOOST_TEST(took < kSanitizerAllowance * slower(), bomb.name << " took " << took << " s");
        BOOST_TEST(loaded.diagnostics.size() <= 201u, bomb.name);
    }
}

BOOST_AUTO_TEST_CASE(four_thousand_cats_are_accepted) {
    std::string text;
    for (int i = 0; i < 4000; ++i)
        text += "c" + std::to_string(i) + ": {program: a, action: restart}\n";
    const LoadedConfig loaded = master::parse_config(text, "t");
    BOOST_TEST(complaints(loaded) == "");
    BOOST_REQUIRE(loaded.config != nullptr);
    BOOST_TEST(loaded.config->cats.size() == 4000u);
}

BOOST_AUTO_TEST_CASE(two_hundred_complaints_and_the_number_of_the_others) {
    const LoadedConfig loaded = master::parse_config(
        "cat1:\n program: a\n" +
            [] {
                std::string text;
                for (int i = 0; i < 300; ++i)
                    text += " unknown" + std::to_string(i) + ": 1\n";
                return text;
            }(),
        "t");
    BOOST_REQUIRE(loaded.diagnostics.size() == 201u);
    BOOST_TEST(loaded.diagnostics[199].line == 201);
    // One of the 301 is the warning that there is no mail.
    BOOST_TEST(loaded.diagnostics[200].format() == "t: error: 101 more complaints are not shown");
}

BOOST_AUTO_TEST_CASE(no_cut_or_damaged_sample_makes_it_fail_otherwise_than_by_complaints) {
    const std::string sample = read_file(data_file("sample-all.yaml"));
    BOOST_REQUIRE(sample.size() > 1000u);
    for (std::size_t size = 0; size < sample.size(); size += 7) {
        const LoadedConfig loaded = master::parse_config(sample.substr(0, size), "t");
        BOOST_TEST((loaded.config != nullptr || !loaded.diagnostics.empty()));
    }
    std::mt19937 random(7);
    for (int i = 0; i < 400; ++i) {
        std::string damaged = sample;
        for (int j = 0; j < 3; ++j)
            damaged[random() % damaged.size()] = "\0{}[]:#-\"'&*!|>%@\n\t \xff~,?"[random() % 24];
        const LoadedConfig loaded = master::parse_config(damaged, "t");
        BOOST_TEST((loaded.config != nullptr || !loaded.diagnostics.empty()));
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_file_of_ours_is_refused) {
    const TempDir dir;
    const std::string good = cat_of("");
    BOOST_TEST(complaints(master::load_config(dir.file("missing"))) ==
               dir.file("missing") + ": error: cannot be read: No such file or directory\n");
    BOOST_TEST(has_error(master::load_config(dir.path().string()), "not a regular file"));
    const std::string fifo = dir.file("fifo");
    BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    BOOST_TEST(has_error(master::load_config(fifo), "not a regular file"));
    BOOST_TEST(has_error(master::load_config("/dev/zero"), "not a regular file"));

    BOOST_TEST(complaints(master::load_config(dir.write("good.yaml", good))) == "");
    const std::string open = dir.write("open.yaml", good);
    for (const mode_t mode : {0664, 0646, 0666}) {
        BOOST_REQUIRE(::chmod(open.c_str(), mode) == 0);
        BOOST_TEST(has_error(master::load_config(open), "chmod go-w"), "mode " << std::oct << mode);
    }
    if (::geteuid() != 0) {
        BOOST_TEST_MESSAGE("SKIP: a file of another user can be made by root only");
        return;
    }
    const std::string foreign = dir.write("foreign.yaml", good, 0600);
    BOOST_REQUIRE(::chown(foreign.c_str(), 65534, 65534) == 0);
    BOOST_TEST(has_error(master::load_config(foreign), "belongs to user 65534"));
}

BOOST_AUTO_TEST_CASE(passwords_that_everyone_can_read_are_a_warning) {
    const TempDir dir;
    const std::string with = cat_of("username: u, password: p");
    const std::string file = dir.write("a.yaml", with, 0644);
    const LoadedConfig readable = master::load_config(file);
    BOOST_TEST(complaints(readable) ==
               file + ": warning: holds passwords and is readable by every user; chmod o-rwx it\n");
    BOOST_TEST(readable.config != nullptr);
    BOOST_REQUIRE(::chmod(file.c_str(), 0640) == 0);
    BOOST_TEST(complaints(master::load_config(file)) == "");
    BOOST_TEST(complaints(master::load_config(dir.write("b.yaml", cat_of(""), 0644))) == "");
    for (const char* keys : {"headers: {Authorization: x}", "mode: POST, json: {user: {token: x}}",
                             "execCmd: PGPASSWORD=x psql"})
        BOOST_TEST(complaints(master::load_config(dir.write("c.yaml", cat_of(keys), 0644))) ==
                       dir.file("c.yaml") +
                           ": warning: holds passwords and is readable by every user; chmod o-rwx it\n",
                   keys);
    for (const char* keys :
         {"headers: {Accept: x}", "mode: POST, json: {user: x}", "execCmd: sh bypass_new.sh 1"})
        BOOST_TEST(complaints(master::load_config(dir.write("d.yaml", cat_of(keys), 0644))) == "", keys);
}

BOOST_AUTO_TEST_SUITE_END()
