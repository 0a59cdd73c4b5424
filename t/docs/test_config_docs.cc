// The manual page and the example configuration keep up with the table of keys.
#include "t/fixture/config_text.h"

#include "common/text/template.h"
#include "master/config/keys.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <sstream>
#include <vector>

using namespace healthcheckd;
using namespace healthcheckd::test;
using healthcheckd::master::KnownKey;

BOOST_AUTO_TEST_SUITE(test_config_docs)

namespace {

// The page's text about a key in its section: from its ".It Cm name" to the next item. Section headings part
// keys of the same name (host of mail, host of http).
std::string item(const std::string& page, const KnownKey& key) {
    const std::string heading = key.section == master::Section::cat ? ".Sh CATS\n"
                                : key.kind == nullptr
                                    ? ".Sh SECTION config\n"
                                    : ".Sh SECTION config." + std::string(key.kind->section) + "\n";
    const std::size_t section = page.find(heading);
    if (section == std::string::npos)
        return "";
    const std::size_t end = page.find("\n.Sh ", section);
    const std::size_t start = page.find(".It Cm " + std::string(key.key->name) + "\n", section);
    if (start >= end)
        return "";
    return page.substr(start, std::min(page.find("\n.It ", start), page.find("\n.El", start)) - start);
}

// "port: 80" of the item's ".Ql port: 80 .".
std::string example(const std::string& text) {
    const std::size_t start = text.find("\nExample:\n.Ql ");
    if (start == std::string::npos)
        return "";
    const std::size_t from = start + std::string("\nExample:\n.Ql ").size();
    return text.substr(from, text.find(" .", from) - from);
}

// Does a line give `key`, live or commented out?
bool has_key(const std::string& text, const KnownKey& key) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const std::size_t start = line.find_first_not_of(" #");
        if (start != std::string::npos && start > 0 &&
            line.substr(start).starts_with(std::string(key.key->name) + ": "))
            return true;
    }
    return false;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_key_has_its_item_in_the_manual_page_with_default_and_example) {
    const std::string page = read_file((source_dir() / "man" / "healthcheckd.yaml.5").string());
    for (const KnownKey& key : master::all_keys()) {
        const std::string text = item(page, key);
        BOOST_TEST(!text.empty(), key.key->name << " is not in healthcheckd.yaml.5");
        const std::string wanted = key.default_text() == "required" ? "; required."
                                   : key.default_text() == "none"   ? "; no default."
                                                                    : "; default " + key.default_text() + ".";
        BOOST_TEST(text.find(wanted) != std::string::npos,
                   key.key->name << ": no \"" << wanted << "\" in: " << text);
        BOOST_TEST(text.find("\n.Ql " + std::string(key.key->name) + ": ") != std::string::npos,
                   key.key->name << " has no example");
        if (!key.key->alias.empty())
            BOOST_TEST(text.find(".Cm " + std::string(key.key->alias)) != std::string::npos, key.key->alias);
    }
}

BOOST_AUTO_TEST_CASE(every_example_of_the_manual_page_is_accepted) {
    const std::string page = read_file((source_dir() / "man" / "healthcheckd.yaml.5").string());
    for (const KnownKey& key : master::all_keys()) {
        const std::string line = example(item(page, key));
        BOOST_TEST(!line.empty(), key.key->name);
        const std::string yaml = key.section == master::Section::config
                                     ? "config:\n  " + line + "\n" + cat_of("")
                                 : key.kind != nullptr && key.kind->named
                                     ? "config:\n  webhooks:\n    a:\n      " + line + "\n" + cat_of("")
                                 : key.kind != nullptr ? "config:\n  mail:\n    " + line + "\n" + cat_of("")
                                                       : "cat1:\n  " + line + "\n";
        for (const Diagnostic& d : master::parse_config(yaml, "t").diagnostics)
            BOOST_TEST((d.severity == Diagnostic::Severity::warning ||
                        d.path.substr(d.path.rfind('.') + 1) != key.key->name),
                       d.format());
    }
}

BOOST_AUTO_TEST_CASE(the_configurations_shown_in_the_manual_page_load) {
    const std::string page = read_file((source_dir() / "man" / "healthcheckd.yaml.5").string());
    const std::string begin = ".Bd -literal -offset indent\n";
    int count = 0;
    for (std::size_t at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
        const std::size_t start = at + begin.size();
        const std::string yaml = page.substr(start, page.find(".Ed", start) - start);
        BOOST_TEST(complaints_about(yaml) == "", yaml << complaints_about(yaml));
        ++count;
    }
    BOOST_TEST(count == 3);
}

BOOST_AUTO_TEST_CASE(every_field_of_a_template_is_in_the_manual_page_and_no_other) {
    const std::string page = read_file((source_dir() / "man" / "healthcheckd.yaml.5").string());
    const std::size_t start = page.find("\n.Ss Templates\n");
    BOOST_TEST_REQUIRE(start != std::string::npos);
    std::istringstream in(page.substr(start + 1, page.find("\n.Sh ", start) - start));
    std::vector<std::string> documented;
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(".It ")) {
            std::istringstream words(line.substr(4));
            for (std::string word; words >> word;)
                if (word != "Cm" && word != ",")
                    documented.push_back(word);
        }
    std::vector<std::string> fields(template_fields().begin(), template_fields().end());
    std::ranges::sort(fields);
    std::ranges::sort(documented);
    BOOST_TEST(documented == fields, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_example_configuration_has_every_key_and_loads_without_a_complaint) {
    const std::string text = read_file((source_dir() / "conf" / "config.yaml").string());
    const LoadedConfig loaded = master::parse_config(text, "config.yaml");
    BOOST_TEST(complaints(loaded) == "");
    BOOST_TEST(loaded.config != nullptr);
    for (const KnownKey& key : master::all_keys())
        BOOST_TEST(has_key(text, key), key.key->name);
}

BOOST_AUTO_TEST_SUITE_END()
