// A configuration printed and loaded again, and carried through shared memory, stays the same.
#include "common/text/fnv.h"
#include "t/fixture/checks.h"
#include "t/fixture/config_text.h"

#include "master/config/compare.h"
#include "master/config/dump.h"
#include "master/config/transfer.h"

#include <boost/test/unit_test.hpp>
#include <cstring>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_config_transfer)

namespace {

// Every key of every type, none at its default.
LoadedConfig everything() {
    LoadedConfig loaded = master::load_config(data_file("everything.yaml"));
    BOOST_REQUIRE_MESSAGE(loaded.config != nullptr, complaints(loaded));
    return loaded;
}

std::vector<char> packed(const LoadedConfig& loaded) {
    std::vector<char> area(100'000);
    const Result<void> done = master::pack_config(loaded, area);
    BOOST_REQUIRE_MESSAGE(done, done.error().text());
    return area;
}

constexpr std::size_t kMagicSize = 29;
constexpr std::size_t kHeaderSize = kMagicSize + 16;

std::uint64_t length_of(const std::vector<char>& area) {
    std::uint64_t length = 0;
    std::memcpy(&length, area.data() + kMagicSize, sizeof length);
    return length;
}

// Writes the checksum that fits (FNV-1a), so that damage reaches the decoder behind it.
void reseal(std::vector<char>& area, std::uint64_t length) {
    const std::uint64_t sum = fnv1a({area.data() + kHeaderSize, length});
    std::memcpy(area.data() + kMagicSize, &length, sizeof length);
    std::memcpy(area.data() + kMagicSize + 8, &sum, sizeof sum);
}

bool same_secrets(const CatConfig& a, const CatConfig& b) {
    if (a.type != &kHttpCheck)
        return a.type == b.type;
    const auto& x = a.own<HttpCheck>();
    const auto& y = b.own<HttpCheck>();
    return x.json.view() == y.json.view() && x.headers.view() == y.headers.view() &&
           x.username.view() == y.username.view() && x.password.view() == y.password.view();
}

}  // namespace

BOOST_AUTO_TEST_CASE(dump_shows_no_password) {
    const std::string dump = master::dump_config(*everything().config);
    BOOST_TEST(dump.find("geheim") == std::string::npos, dump);
    for (const char* shown : {"supervisordUser: link", "username: web", "X-Plain", "pass: \"********\""})
        BOOST_TEST(dump.find(shown) != std::string::npos, shown);
}

BOOST_AUTO_TEST_CASE(dump_loads_again_to_the_same) {
    const std::string dump = master::dump_config(*everything().config);
    const LoadedConfig again = master::parse_config(dump, "t");
    BOOST_TEST(complaints(again) == "");
    BOOST_REQUIRE(again.config != nullptr);
    BOOST_TEST(master::dump_config(*again.config) == dump);
}

BOOST_AUTO_TEST_CASE(dump_of_texts_that_look_like_something_else_loads_again) {
    for (const char* program : {"null", "~", "yes", "123", "a: b", "# x", "- a", "'", "\"", "a #b", "[a]",
                                "é中", "*a", "!t", "%x", "@a", "a,b"}) {
        std::string yaml = "cat1:\n  action: restart\n  program: \"";
        for (const char* c = program; *c != '\0'; ++c)
            yaml += *c == '"' ? std::string("\\\"") : std::string(1, *c);
        const LoadedConfig first = master::parse_config(yaml + "\"\n", "t");
        BOOST_REQUIRE_MESSAGE(first.config != nullptr, program << ": " << complaints(first));
        const LoadedConfig second = master::parse_config(master::dump_config(*first.config), "t");
        BOOST_REQUIRE_MESSAGE(second.config != nullptr, program << ": " << complaints(second));
        BOOST_TEST(second.config->cats[0].program == program);
    }
}

BOOST_AUTO_TEST_CASE(names_of_cats_in_any_language_travel_and_are_dumped) {
    const LoadedConfig first = master::parse_config(
        "web server: {program: web, action: restart}\n\"a: b\": {program: web, type: tcp, action: none}\n"
        "网关 内存: {program: web, type: mem, action: restart}\nyes: {program: web, type: cpu, action: "
        "restart}\n",
        "t");
    BOOST_REQUIRE_MESSAGE(first.config != nullptr, complaints(first));
    const Result<LoadedConfig> after = master::unpack_config(packed(first));
    BOOST_REQUIRE(after);
    BOOST_REQUIRE(after->config != nullptr);
    const LoadedConfig second = master::parse_config(master::dump_config(*after->config), "t");
    BOOST_REQUIRE_MESSAGE(second.config != nullptr, complaints(second));
    for (std::size_t i = 0; i < 4; ++i)
        BOOST_TEST(second.config->cats[i].name == first.config->cats[i].name);
    BOOST_TEST((second.config->cats[1].action == ActionSet{}));
}

BOOST_AUTO_TEST_CASE(dump_of_each_sample_loads_to_the_same) {
    for (const char* name : {"sample-all.yaml", "sample-gateway.yaml"}) {
        const LoadedConfig first = master::parse_config(read_file(data_file(name)), "t");
        BOOST_REQUIRE(first.config != nullptr);
        const std::string dump = master::dump_config(*first.config);
        const LoadedConfig second = master::parse_config(dump, "t");
        BOOST_REQUIRE_MESSAGE(second.config != nullptr, complaints(second));
        BOOST_TEST(master::dump_config(*second.config) == dump);
    }
}

BOOST_AUTO_TEST_CASE(round_trip_keeps_every_value_secret_and_line) {
    const LoadedConfig before = everything();
    const Result<LoadedConfig> after = master::unpack_config(packed(before));
    BOOST_REQUIRE(after);
    BOOST_REQUIRE(after->config != nullptr);
    const Config& a = *before.config;
    const Config& b = *after->config;
    BOOST_TEST(master::dump_config(a) == master::dump_config(b));
    BOOST_TEST(a.file == b.file);
    BOOST_TEST(a.supervisord_pass.view() == b.supervisord_pass.view());
    BOOST_TEST(a.first_channel<MailConfig>()->pass.view() == b.first_channel<MailConfig>()->pass.view());
    BOOST_TEST(!b.first_channel<MailConfig>()->pass.empty());
    BOOST_REQUIRE(a.cats.size() == b.cats.size());
    for (std::size_t i = 0; i < a.cats.size(); ++i) {
        BOOST_TEST(a.cats[i].name == b.cats[i].name);
        BOOST_TEST(a.cats[i].line == b.cats[i].line);
        BOOST_TEST(same_secrets(a.cats[i], b.cats[i]));
    }
}

BOOST_AUTO_TEST_CASE(complaints_travel_with_and_without_a_configuration) {
    for (const std::string& yaml : {std::string("cat1: {program: a, foo: 1}\ncat2: {}\n"),
                                    std::string("cat1: {program: a}\n"), std::string()}) {
        const LoadedConfig before = master::parse_config(yaml, "t");
        BOOST_REQUIRE(!before.diagnostics.empty());
        const Result<LoadedConfig> after = master::unpack_config(packed(before));
        BOOST_REQUIRE(after);
        BOOST_TEST(complaints(*after) == complaints(before));
        BOOST_TEST((after->config == nullptr) == (before.config == nullptr));
    }
}

BOOST_AUTO_TEST_CASE(an_area_that_is_too_small_is_an_error_at_every_size) {
    const LoadedConfig loaded = everything();
    const std::size_t need = kHeaderSize + length_of(packed(loaded));
    for (std::size_t size = 0; size < need; size += 13) {
        std::vector<char> area(size);
        BOOST_TEST(!master::pack_config(loaded, area), "size " << size);
    }
    std::vector<char> area(need);
    BOOST_TEST(static_cast<bool>(master::pack_config(loaded, area)));
    BOOST_TEST(static_cast<bool>(master::unpack_config(area)));
}

BOOST_AUTO_TEST_CASE(a_cut_transfer_is_refused_at_every_length) {
    const std::vector<char> area = packed(everything());
    const std::size_t need = kHeaderSize + length_of(area);
    for (std::size_t size = 0; size < need; ++size)
        BOOST_TEST(!master::unpack_config(std::span(area).first(size)), "size " << size);
    // Cut by a writer who then sealed it.
    for (std::uint64_t length = 0; length < length_of(area); ++length) {
        std::vector<char> cut = area;
        reseal(cut, length);
        BOOST_TEST(!master::unpack_config(cut), "length " << length);
    }
}

BOOST_AUTO_TEST_CASE(a_changed_byte_is_refused_wherever_it_stands) {
    std::vector<char> area = packed(everything());
    const std::size_t need = kHeaderSize + length_of(area);
    for (std::size_t i = 0; i < need; ++i)
        for (const int change : {0x01, 0x80, 0xff}) {
            area[i] = static_cast<char>(area[i] ^ change);
            BOOST_TEST(!master::unpack_config(area), "byte " << i);
            area[i] = static_cast<char>(area[i] ^ change);
        }
    BOOST_TEST(static_cast<bool>(master::unpack_config(area)));
}

// With a checksum that fits, damage is either refused or gives values that are within their limits.
BOOST_AUTO_TEST_CASE(the_decoder_behind_the_checksum_never_gives_a_value_out_of_range) {
    const std::vector<char> area = packed(everything());
    std::size_t refused = 0;
    for (std::size_t i = kHeaderSize; i < kHeaderSize + length_of(area); ++i)
        for (const int change : {0x01, 0x40, 0xff}) {
            std::vector<char> damaged = area;
            damaged[i] = static_cast<char>(damaged[i] ^ change);
            reseal(damaged, length_of(area));
            const Result<LoadedConfig> loaded = master::unpack_config(damaged);
            if (!loaded || loaded->config == nullptr) {
                ++refused;
                continue;
            }
            for (const CatConfig& cat : loaded->config->cats) {
                if (cat.type == &kHttpCheck || cat.type == &kTcpCheck)
                    BOOST_TEST(
                        (cat.own<ServerAddress>().port >= 1 && cat.own<ServerAddress>().port <= 65535));
                BOOST_TEST((cat.period.count() >= 100 && cat.failure_threshold >= 1));
                BOOST_TEST(cat.program.find('\n') == std::string::npos);
            }
        }
    BOOST_TEST(refused > length_of(area));
}

// memory.json keeps it: another text drops the counts of every cat at the next start.
BOOST_AUTO_TEST_CASE(the_definition_of_a_cat_changes_with_its_keys_alone) {
    const auto definition = [](const std::string& more) {
        const LoadedConfig loaded = master::parse_config(cat_of("type: mem, maxMem: 300" + more), "t");
        BOOST_REQUIRE_MESSAGE(loaded.config != nullptr, complaints(loaded));
        return master::definition_of(*loaded.config, loaded.config->cats[0]);
    };
    BOOST_TEST(definition("") == "f048e206e73fc368");
    BOOST_TEST(definition(", failureThreshold: 3, enabled: yes") == definition(""));
    BOOST_TEST(definition(", failureThreshold: 4") != definition(""));
    BOOST_TEST(definition(", enabled: no") != definition(""));
}

BOOST_AUTO_TEST_CASE(workers_get_their_cats_and_nothing_of_actions_channels_and_supervisord) {
    const LoadedConfig loaded = everything();
    const Config& all = *loaded.config;
    std::vector<char> area(100'000);
    const std::vector<std::size_t> cats{2, 0};
    BOOST_REQUIRE(master::pack_for_workers(all, cats, area));
    const Result<LoadedConfig> got = master::unpack_config(area);
    BOOST_TEST_REQUIRE(static_cast<bool>(got));
    const Config& theirs = *got->config;
    BOOST_TEST_REQUIRE(theirs.cats.size() == 2U);
    for (std::size_t i = 0; i < cats.size(); ++i) {
        const CatConfig& cat = all.cats[cats[i]];
        BOOST_TEST(theirs.cats[i].name == cat.name);
        BOOST_TEST(theirs.cats[i].type == cat.type);
        BOOST_TEST((theirs.cats[i].period == cat.period));
        BOOST_TEST((theirs.cats[i].timeout == cat.timeout));
        BOOST_TEST(theirs.cats[i].pid_file == cat.pid_file);
    }
    BOOST_TEST(theirs.log_dir == all.log_dir);
    BOOST_TEST(theirs.log_max_bytes == all.log_max_bytes);
    BOOST_TEST((theirs.log_format == all.log_format));
    BOOST_TEST((theirs.sandbox == all.sandbox));
    BOOST_TEST(theirs.channels.empty());
    const std::string_view bytes(area.data(), area.size());
    for (const CatConfig& cat : all.cats)
        if (const std::string_view command = cat.own<ExecAction>().command.view(); command.size() > 8)
            BOOST_TEST(bytes.find(command) == std::string_view::npos, command);
    BOOST_TEST(bytes.find(all.supervisord_url) == std::string_view::npos);
    BOOST_TEST(bytes.find(all.supervisord_pass.view()) == std::string_view::npos);
}

BOOST_AUTO_TEST_SUITE_END()
