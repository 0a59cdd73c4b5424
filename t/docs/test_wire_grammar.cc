// The tables of the grammar in common/wire/protocol*.h against the encoders: each kind, with its keys in their order.
#include "common/wire/protocol_mailer.h"
#include "common/wire/protocol_nursery.h"
#include "common/wire/protocol_reader.h"
#include "common/wire/protocol_supervisord.h"
#include "common/wire/protocol_task.h"
#include "common/wire/protocol_worker.h"
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <vector>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_wire_grammar)

namespace {

// By kind: "seq= pid=".
using Grammar = std::map<std::string, std::string>;

void add(Grammar& grammar, const std::string& kinds, const std::string& keys) {
    std::istringstream all(kinds);
    for (std::string kind; std::getline(all, kind, '|');)
        BOOST_TEST((grammar.try_emplace(kind, keys).second || grammar[kind] == keys),
                   kind << " has two shapes");
}

// The lines of the tables: "//   . kind key= key=".
Grammar of_the_tables() {
    Grammar grammar;
    for (const auto& file : std::filesystem::directory_iterator(source_dir() / "common/wire")) {
        std::istringstream page(read_file(file.path().string()));
        for (std::string line; std::getline(page, line) && line != "#pragma once";) {
            std::smatch parts;
            if (std::regex_match(line, parts, std::regex("//   \\. (\\S+) ?(.*)")))
                add(grammar, parts[1], parts[2]);
        }
    }
    return grammar;
}

template <class Message> void add_line(Grammar& grammar, const Message& message) {
    LineWriter writer = encode(message);
    std::istringstream words{std::string(writer.line())};
    std::string kind, keys;
    words >> kind;
    for (std::string word; words >> word;)
        keys += (keys.empty() ? "" : " ") + word.substr(0, word.find('=') + 1);
    add(grammar, kind, keys);
}

// One of each alternative of `Variant`, with its default values.
template <class Variant, std::size_t i = 0> void add_all(Grammar& grammar) {
    if constexpr (i < std::variant_size_v<Variant>) {
        add_line(grammar, std::variant_alternative_t<i, Variant>{});
        add_all<Variant, i + 1>(grammar);
    }
}

Grammar of_the_encoders() {
    Grammar grammar;
    add_all<Command>(grammar);
    add_all<WorkerLine>(grammar);
    for (const Verdict verdict : {Verdict::success, Verdict::failure, Verdict::idle, Verdict::unknown}) {
        Report report;
        report.verdict = verdict;
        add_line(grammar, report);
    }
    add_all<LinkCommand>(grammar);
    add_all<LinkLine>(grammar);
    add_line(grammar, Reach{});
    add_line(grammar, Reached{});
    add_all<ActionLine>(grammar);
    add_all<ClaimAnswer>(grammar);
    add_line(grammar, LockLine{});
    add_all<MailerCommand>(grammar);
    add_all<MailerLine>(grammar);
    add_all<ReaderCommand>(grammar);
    add_all<ReaderLine>(grammar);
    add_all<NurseryCommand>(grammar);
    add_all<NurseryAnswer>(grammar);
    return grammar;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_tables_have_each_kind_with_its_keys_and_no_other) {
    const Grammar tables = of_the_tables(), encoders = of_the_encoders();
    BOOST_TEST(tables.size() > 30U);
    for (const auto& [kind, keys] : encoders) {
        BOOST_TEST_REQUIRE(tables.contains(kind), kind << " is in no table");
        BOOST_TEST(tables.at(kind) == keys, kind);
    }
    for (const auto& [kind, keys] : tables)
        BOOST_TEST(encoders.contains(kind), kind << " is encoded nowhere");
}

BOOST_AUTO_TEST_SUITE_END()
