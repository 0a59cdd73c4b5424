// The reasons to skip a test against the table in HACKING.md.
#include "t/fixture/basics.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <regex>
#include <set>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_skip_docs)

namespace {

std::set<std::string> found_in(const std::string& text, const std::string& pattern) {
    const std::regex wanted(pattern);
    std::set<std::string> all;
    for (std::sregex_iterator it(text.begin(), text.end(), wanted), end; it != end; ++it)
        all.insert((*it)[1]);
    return all;
}

// The first column of the table.
std::set<std::string> beginnings() {
    const std::string page = read_file((source_dir() / "HACKING.md").string());
    const std::size_t begin = page.find("\n## Skipped tests\n");
    BOOST_TEST_REQUIRE(begin != std::string::npos);
    std::string column;
    for (const std::string& row :
         found_in(page.substr(begin, page.find("\n## ", begin + 1) - begin), "\n(\\| `[^|]*)"))
        column += row;
    return found_in(column, "`([^`]+)`");
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_reason_is_in_the_table_and_each_row_is_a_reason) {
    std::set<std::string> reasons;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source_dir() / "t"))
        if (entry.path().extension() == ".cc")
            reasons.merge(
                found_in(read_file(entry.path().string()),
                         "(?:skip\\(|need_root\\(|kWhyRoot[^=\n]*=|message\\(\\) <<)\\s*\"([^\"]+)\""));
    const std::set<std::string> rows = beginnings();
    BOOST_TEST(reasons.size() > 20U);
    for (const std::string& reason : reasons)
        BOOST_TEST(std::ranges::any_of(rows, [&](const std::string& row) { return reason.starts_with(row); }),
                   reason << ": is in no row");
    for (const std::string& row : rows)
        BOOST_TEST(
            std::ranges::any_of(reasons, [&](const std::string& reason) { return reason.starts_with(row); }),
            row << ": no test says this");
}

BOOST_AUTO_TEST_SUITE_END()
