// The committed inputs of the fuzz targets keep all promises.
#include "t/fixture/basics.h"
#include "t/fuzz/targets.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_fuzz_corpus)

namespace {

void replay(const char* name, fuzz::Target target) {
    std::size_t inputs = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(test::source_dir() / "t/fuzz/corpus" / name)) {
        BOOST_TEST_CONTEXT(entry.path()) {
            const std::string input = test::read_file(entry.path());
            BOOST_TEST(target(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()) == 0);
        }
        ++inputs;
    }
    BOOST_TEST(inputs >= 5);
}

}  // namespace

BOOST_AUTO_TEST_CASE(lines_of_the_protocol) {
    replay("protocol", fuzz::fuzz_protocol);
}

BOOST_AUTO_TEST_CASE(configurations) {
    replay("config", fuzz::fuzz_config);
}

BOOST_AUTO_TEST_CASE(answers_of_supervisord) {
    replay("supervisor", fuzz::fuzz_supervisor);
}

BOOST_AUTO_TEST_CASE(transfers_of_a_configuration) {
    replay("transfer", fuzz::fuzz_transfer);
}

// Else the fuzzer would begin with nothing that the decoder takes.
BOOST_AUTO_TEST_CASE(whole_transfers_of_the_corpus_are_of_the_present_form) {
    for (const char* name : {"everything", "groups", "minimal", "secrets"}) {
        const std::string input =
            test::read_file((test::source_dir() / "t/fuzz/corpus/transfer" / name).string());
        BOOST_TEST(fuzz::is_transfer(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()),
                   name);
    }
}

BOOST_AUTO_TEST_CASE(requests_of_healthcheckctl) {
    replay("control", fuzz::fuzz_control);
}

BOOST_AUTO_TEST_CASE(answers_of_web_servers) {
    replay("answer", fuzz::fuzz_answer);
}

BOOST_AUTO_TEST_SUITE_END()
