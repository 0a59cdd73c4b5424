// The manual pages against the programs: every option, command, signal, file and exit status has its place.
// Configuration keys: test_config_docs.
#include "common/config/config.h"
#include "master/ctl/options.h"
#include "master/entry/options.h"
#include "master/files/memory.h"
#include "t/fixture/basics.h"
#include "t/fixture/process/refusals.h"

#include "common/config/check_type.h"
#include "common/sandbox/child_kinds.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iterator>
#include <map>
#include <regex>
#include <set>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_man_pages)

namespace {

std::string page(const std::string& name) {
    return read_file((source_dir() / "man" / name).string());
}

// From the heading to the next one.
std::string section(const std::string& text, const std::string& heading) {
    const std::size_t start = text.find("\n.Sh " + heading + "\n");
    BOOST_TEST_REQUIRE(start != std::string::npos, heading);
    return text.substr(start, text.find("\n.Sh ", start + 1) - start);
}

// What `pattern`'s group finds in `text`.
std::set<std::string> all(const std::string& text, const std::string& pattern) {
    const std::regex expression(pattern);
    std::set<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it)
        found.insert((*it)[1]);
    return found;
}

void check_options(const std::string& usage, const std::string& text) {
    const auto shorts = all(usage, "[ \\[|]-([a-zA-Z])[ ,|\\]]");
    const auto longs = all(usage, "--([a-z-]+)");
    BOOST_TEST(shorts.size() > 2u);
    BOOST_TEST(longs.size() > 2u);
    for (const std::string& option : shorts)
        BOOST_TEST(text.find("Fl " + option) != std::string::npos, '-' << option);
    for (const std::string& option : longs)
        BOOST_TEST(text.find("Fl Fl " + option) != std::string::npos, "--" << option);
}

// The texts within quotes, and those that hold another quote.
struct Quotes {
    std::multiset<std::string> all;
    std::vector<std::string> nested;
};

Quotes quotes_in(const std::string& text) {
    constexpr std::string_view kOpen = "\xe2\x80\x98", kClose = "\xe2\x80\x99";
    Quotes quotes;
    for (std::size_t at = text.find(kOpen); at != std::string::npos; at = text.find(kOpen, at + 1)) {
        const std::size_t begin = at + kOpen.size();
        const std::string inside = text.substr(begin, text.find(kClose, begin) - begin);
        (inside.find(kOpen) == std::string::npos ? (void)quotes.all.insert(inside)
                                                 : quotes.nested.push_back(inside));
    }
    return quotes;
}

// `text` with every character gone that another one was printed over, as bold and underlined ones are.
std::string without_overstrikes(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c != '\b') {
            out += c;
            continue;
        }
        while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xc0) == 0x80)
            out.pop_back();
        if (!out.empty())
            out.pop_back();
    }
    return out;
}

// A page on one line; what the renderer complained of comes first.
std::string rendered(const std::string& command, const std::string& name) {
    const CommandResult result =
        run_command({"/bin/sh", "-c", command + " " + (source_dir() / "man" / name).string() + " 2>&1"});
    BOOST_TEST_REQUIRE(result.status == 0, command << name);
    return std::regex_replace(without_overstrikes(result.output), std::regex("\\s+"), " ");
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_option_that_the_programs_show_is_described) {
    check_options(master::usage(), page("healthcheckd.8"));
    check_options(ctl::usage(), page("healthcheckctl.1"));
}

BOOST_AUTO_TEST_CASE(man_db_and_mandoc_show_the_pages_alike_and_neither_mangles_a_list) {
    for (const char* name : {"healthcheckd.8", "healthcheckd.yaml.5", "healthcheckctl.1"})
        BOOST_TEST_CONTEXT(name) {
            // What man-db runs, with all warnings; without hyphens, to compare.
            const std::string by_groff =
                rendered("groff -Tutf8 -Kutf8 -mandoc -ww -rLL=80n -rHY=0 -P-cbou", name);
            const std::string by_mandoc = rendered("mandoc -Tutf8 -Owidth=80", name);
            const Quotes groff = quotes_in(by_groff), mandoc = quotes_in(by_mandoc);
            for (const Quotes& quotes : {groff, mandoc}) {
                BOOST_TEST(quotes.all.size() > 10U);
                BOOST_TEST(quotes.nested == std::vector<std::string>());
            }
            BOOST_TEST(by_groff.find("troff:") == std::string::npos, by_groff.substr(0, 300));
            BOOST_TEST((groff.all == mandoc.all));
        }
}

BOOST_AUTO_TEST_CASE(every_command_of_healthcheckctl_is_described_and_no_other) {
    const auto shown = all(ctl::usage(), "\n  ([a-z][a-z-]+)[ \n]");
    const auto described = all(section(page("healthcheckctl.1"), "DESCRIPTION"), "\n\\.It Cm ([a-z-]+)");
    BOOST_TEST(shown == described, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_signal_that_the_daemon_handles_is_described_and_no_other) {
    const std::string source = read_file((source_dir() / "master/entry/daemon.cc").string());
    const std::string handled = source.substr(source.find("int Daemon::run()"));
    const auto signals = all(handled.substr(0, handled.find("\n}\n")), "SIG([A-Z0-9]+)");
    std::set<std::string> described;
    const std::string items = section(page("healthcheckd.8"), "SIGNALS");
    for (const std::string& line : all(items, "\n\\.It ([^\n]+)"))
        described.merge(all(line, "([A-Z0-9]+)"));
    BOOST_TEST(signals == described, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_file_and_folder_is_described) {
    const Config defaults;
    const std::string files = section(page("healthcheckd.8"), "FILES");
    for (const std::string& path :
         {master::Options().config_file, defaults.log_dir + "/CAT.log", defaults.state_dir + "/state.json",
          defaults.state_dir + '/' + master::kMemoryFile, defaults.state_dir + "/restarts/",
          defaults.state_dir + "/spool/", defaults.state_dir + "/dead/", defaults.socket})
        BOOST_TEST(files.find(".It Pa " + path) != std::string::npos, path);
}

BOOST_AUTO_TEST_CASE(every_exit_status_is_described) {
    for (const auto& [name, statuses] : {std::pair{"healthcheckd.8", "012"}, {"healthcheckctl.1", "012"}}) {
        const std::string text = section(page(name), "EXIT STATUS");
        for (const char* status = statuses; *status != '\0'; ++status)
            BOOST_TEST(std::regex_search(text, std::regex(std::string("(^|[^0-9])") + *status + "[^0-9]")),
                       name << ": " << *status);
    }
}

// What mdoc(7) makes of a paragraph, as far as these rows need it: macros at the begin of a line go, lines join.
std::string plain(const std::string& text) {
    std::istringstream lines(text);
    std::string out;
    for (std::string line; std::getline(lines, line);) {
        const std::string_view name = "healthcheckd";
        if (line == ".Nm ,")
            line = std::string(name) + ",";
        else if (line.starts_with(".Nm"))
            line = std::string(name) + (line.ends_with(" ;") ? ";" : "");
        else if (line.starts_with("."))
            line = line.substr(std::min(line.size(), line.find(' ') + 1));
        if (line.ends_with(" ;"))
            line.replace(line.size() - 2, 2, ";");
        out += (out.empty() ? "" : " ") + line;
    }
    return out;
}

BOOST_AUTO_TEST_CASE(the_security_table_of_the_manual_is_that_of_the_kinds_of_children) {
    const std::string text = page("healthcheckd.8");
    const std::size_t first = text.find(".It ", text.find(".Sh SECURITY"));
    const std::string section = text.substr(first - 1, text.find("\n.El", first) - first + 2);
    std::map<std::string, std::string> rows;
    static const std::regex row("\n\\.It ([^\n]+)\n((?:(?!\\.It )[^\n]*\n)*)");
    for (std::size_t at = 0; at < section.size();) {
        std::smatch found;
        const std::string rest = section.substr(at);
        if (!std::regex_search(rest, found, row, std::regex_constants::match_continuous))
            break;
        rows[found[1]] = plain(found[2]);
        at += static_cast<std::size_t>(found.length()) - 1;
    }
    std::map<std::string, std::string> kinds;
    for (const ChildKind* kind : children::kAll)
        if (!kind->row.empty())
            kinds[std::string(kind->row)] = std::string(kind->user) + "; may " + std::string(kind->may) + ".";
    for (const children::WorkerRow& worker : children::kWorkerRows)
        kinds[std::string(worker.row)] =
            std::string(children::kWorker.user) + "; may " + std::string(worker.may) + ".";
    for (const auto& [name, words] : kinds) {
        BOOST_TEST_REQUIRE(rows.contains(name), "no row '" << name << "'");
        BOOST_TEST(rows.at(name) == words, name);
    }
    for (const auto& [name, words] : rows)
        BOOST_TEST(kinds.contains(name), "no kind of child has the row '" << name << "'");
    // Workers' rows are by what their types of check may do.
    for (const CheckType* type : check_types())
        BOOST_TEST((section.find("\n.It " + std::string(type->name)) != std::string::npos ||
                    section.find(", " + std::string(type->name) + "\n") != std::string::npos),
                   type->name << " is in no row");
}

BOOST_AUTO_TEST_CASE(the_manual_says_of_each_hostile_act_what_refuses_it_at_each_landlock_abi) {
    std::string table = ".It Sy act";
    for (const AbiColumn& column : kAbiColumns)
        table += " Ta Sy " + std::string(column.heading);
    for (const RefusalRow& row : kRefusals) {
        table += "\n.It " + std::string(row.text);
        for (const std::string_view refuses : row.refuse)
            table += " Ta " + std::string(refuses);
    }
    BOOST_TEST(section(page("healthcheckd.8"), "SECURITY").find(table + "\n.El\n") != std::string::npos,
               table);
}

BOOST_AUTO_TEST_CASE(each_kind_of_child_is_in_the_list_and_each_child_of_the_master_has_a_kind) {
    const std::string header = read_file((source_dir() / "common/sandbox/child_kinds.h").string());
    static const std::regex defined("inline constexpr ChildKind k");
    const auto count = std::distance(std::sregex_iterator(header.begin(), header.end(), defined), {});
    BOOST_TEST(static_cast<std::size_t>(count) == std::size(children::kAll));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source_dir() / "master"))
        if (entry.path().extension() == ".cc")
            BOOST_TEST(read_file(entry.path().string()).find("ChildSpec spec;") == std::string::npos,
                       entry.path() << " starts a child without a kind");
}

BOOST_AUTO_TEST_SUITE_END()
