// DESIGN.md against the sources.
#include "t/fixture/basics.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_design_docs)

BOOST_AUTO_TEST_CASE(the_tables_of_files_name_every_source_file_and_no_other) {
    const std::string page = read_file((source_dir() / "DESIGN.md").string());
    std::string tables = page.substr(page.find("## Files"));
    for (const char* folder : {"common", "master", "worker"})
        for (const auto& entry : std::filesystem::directory_iterator(source_dir() / folder)) {
            const std::string row = "| `" + entry.path().stem().string() + "` |";
            if (entry.path().extension() != ".cc" && entry.path().extension() != ".h")
                continue;
            BOOST_TEST(page.find(row) != std::string::npos, entry.path() << " is not in DESIGN.md");
            if (const auto at = tables.find(row); at != std::string::npos)
                tables.erase(at, row.size());
        }
    const auto left = tables.find("| `");
    BOOST_TEST(left == std::string::npos, tables.substr(std::min(left, tables.size()), 80));
}

BOOST_AUTO_TEST_SUITE_END()
