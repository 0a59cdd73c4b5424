// Checks the sources against DESIGN.md: which folder includes which, and that child code does not reach the master's.
#include "t/fixture/basics.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_design_docs)

namespace {

using Files = std::map<std::string, std::set<std::string>>;  // by path: what each includes of ours

Files all_sources() {
    static const std::regex include("#include \"([^\"]+)\"");
    Files files;
    for (const char* top : {"common", "master", "worker"})
        for (const auto& entry : std::filesystem::recursive_directory_iterator(source_dir() / top)) {
            if (entry.path().extension() != ".cc" && entry.path().extension() != ".h")
                continue;
            const std::string text = read_file(entry.path().string());
            auto& includes = files[entry.path().lexically_relative(source_dir()).string()];
            for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it)
                includes.insert((*it)[1]);
        }
    return files;
}

std::string folder_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

// The rows of the table: a folder, and the folders that it may include.
std::vector<std::pair<std::string, std::set<std::string>>> table() {
    static const std::regex row("^\\| `([a-z/]+)` \\| ([^|]*) \\|"), name("`([a-z/]+)`");
    const std::string page = read_file((source_dir() / "DESIGN.md").string());
    std::istringstream lines(page.substr(page.find("| folder | may include |")));
    std::vector<std::pair<std::string, std::set<std::string>>> rows;
    for (std::string line; std::getline(lines, line);)
        if (std::smatch found; std::regex_search(line, found, row)) {
            const std::string allowed = found[2];
            auto& [folder, may] = rows.emplace_back(found[1], std::set<std::string>());
            for (std::sregex_iterator it(allowed.begin(), allowed.end(), name), end; it != end; ++it)
                may.insert((*it)[1]);
        }
    return rows;
}

// `from` and all that it includes, with the sources of the headers. What a path leads to it by is its value.
std::map<std::string, std::string> reached(const Files& files, const std::string& from) {
    std::map<std::string, std::string> seen{{from, from}};
    for (std::vector<std::string> todo{from}; !todo.empty();) {
        const std::string file = todo.back();
        todo.pop_back();
        std::set<std::string> next = files.at(file);
        if (const std::string source = file.substr(0, file.rfind('.')) + ".cc"; files.contains(source))
            next.insert(source);
        for (const std::string& one : next)
            if (seen.emplace(one, seen[file] + " > " + one).second)
                todo.push_back(one);
    }
    return seen;
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_folder_includes_what_the_table_lets_it_and_nothing_below_it) {
    const Files files = all_sources();
    const auto rows = table();
    std::map<std::string, std::set<std::string>> may;
    std::set<std::string> above;
    for (const auto& [folder, allowed] : rows) {
        for (const std::string& one : allowed)
            BOOST_TEST((one == "common" || above.contains(one)),
                       folder << " may include " << one << " below");
        may[folder] = allowed;
        above.insert(folder);
    }
    for (const auto& [file, includes] : files) {
        const std::string folder = folder_of(file);
        BOOST_TEST(may.contains(folder), folder << " is not in the table");
        for (const std::string& one : includes) {
            const std::string other = folder_of(one);
            BOOST_TEST((other == folder || may[folder].contains(other) ||
                        (may[folder].contains("common") && other.starts_with("common/"))),
                       file << " includes " << one);
        }
        may[folder].insert(folder);
    }
    for (const auto& [folder, allowed] : rows)
        BOOST_TEST(may[folder].contains(folder), folder << " holds no source");
}

BOOST_AUTO_TEST_CASE(no_code_of_a_child_reaches_the_masters_insides) {
    const Files files = all_sources();
    int children = 0;
    for (const auto& [file, includes] : files) {
        // The rows of the tables are reached by no #include.
        const bool in_table = file.starts_with("worker/check/") ||
                              file.starts_with("master/mailer/channel/") ||
                              file.starts_with("master/action/type/");
        if (!in_table && !file.ends_with("_child.cc") && file != "worker/entry.cc" &&
            file != "master/supervisord/connector.cc")
            continue;
        ++children;
        for (const auto& [one, way] : reached(files, file))
            BOOST_TEST(!(one.starts_with("master/process/") || one.starts_with("master/cat/") ||
                         one == "common/log/log.h"),
                       way);
    }
    BOOST_TEST(children >= 6);
}

// Code in the lambda itself would be the master's own, in a file that the test before does not look at.
BOOST_AUTO_TEST_CASE(what_a_child_runs_is_one_call_of_a_function_from_a_child_file) {
    static const std::regex mains(R"(spec\.main = \[.*\]\(pid_t ?\w*\) \{\s*return ([^;]*);\s*\};)");
    // Calls of functions. A main or worker_main is what a test may put in place of the real one.
    static const std::regex called(R"((^|[^\w.])(\w+)\()"), replaced(R"(^([\w.]*\.)?(worker_)?main\()");
    const Files files = all_sources();
    std::string declarations;
    for (const auto& [file, includes] : files)
        if (file.ends_with("_child.h"))
            declarations += read_file((source_dir() / file).string());
    int children = 0;
    for (const auto& [file, includes] : files) {
        const std::string text = read_file((source_dir() / file).string());
        int calls = 0;
        for (std::sregex_iterator it(text.begin(), text.end(), mains), end; it != end; ++it, ++calls) {
            const std::string body = (*it)[1];
            bool runs = std::regex_search(body, replaced);
            for (std::sregex_iterator one(body.begin(), body.end(), called); one != end; ++one)
                if (const std::string name = (*one)[2]; name != "main" && name != "worker_main") {
                    runs = true;
                    BOOST_TEST(declarations.find("int " + name + '(') != std::string::npos,
                               file << ": " << name << " is in no *_child.h");
                }
            BOOST_TEST(runs, file << ": " << body);
        }
        for (std::size_t at = text.find("spec.main = "); at != std::string::npos;
             at = text.find("spec.main = ", at + 1), ++children)
            --calls;
        BOOST_TEST(calls == 0, file << ": a child runs more than one call");
    }
    BOOST_TEST(children >= 10);
}

BOOST_AUTO_TEST_CASE(no_folder_has_more_than_thirty_entries) {
    for (const char* top : {"common", "master", "worker", "t", "conf", "man"})
        for (const auto& entry : std::filesystem::recursive_directory_iterator(source_dir() / top))
            if (entry.is_directory() && entry.path().filename() != "__pycache__") {
                const auto count = std::distance(std::filesystem::directory_iterator(entry.path()),
                                                 std::filesystem::directory_iterator());
                BOOST_TEST(count <= 31, entry.path() << " has " << count);  // with a __pycache__
            }
}

BOOST_AUTO_TEST_SUITE_END()
