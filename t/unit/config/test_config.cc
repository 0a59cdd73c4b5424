// Loading whole configurations: the guide's samples, defaults, aliases, what lands where.
#include "t/fixture/checks.h"
#include "t/fixture/config_text.h"

#include "common/config/log_path.h"
#include "common/config/texts.h"
#include "common/system/secret.h"
#include "master/config/dump.h"
#include "master/config/keys.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
using healthcheckd::master::Section;

BOOST_AUTO_TEST_SUITE(test_config)

namespace {

using boost::test_tools::assertion_result;
using boost::unit_test::enable_if;

std::filesystem::path guide() {
    return source_dir() / "../shared/reference/guide.zh.txt";
}

assertion_result guide_is_there(boost::unit_test::test_unit_id) {
    assertion_result there(std::filesystem::exists(guide()));
    there.message() << "the user guide is not beside this checkout";
    return there;
}

// The sample configurations of the guide: from a line that begins with "config:" to the first line after it
// that is prose, that is, neither YAML nor a comment nor empty.
std::vector<std::string> guide_samples() {
    std::vector<std::string> samples;
    std::ifstream in(guide());
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("config:")) {
            samples.emplace_back();
            inside = true;
        }
        const bool yaml = line.empty() || line[0] == ' ' || line[0] == '#' || line[0] == '\r' ||
                          line.starts_with("cat") || line.starts_with("config:");
        inside = inside && yaml && !line.starts_with("cat /");
        if (inside)
            samples.back() += line + "\n";
    }
    return samples;
}

constexpr const char* kFirstSampleComplaints =
    "t:50:11: warning: cat3.json: has no effect: mode is GET, and a body is sent only with POST\n";
constexpr const char* kSecondSampleComplaints =
    "t:24:13: warning: cat1.action: email is skipped, here and in 1 more: there is no config.mail\n";

void check_first_sample(const Config& config) {
    BOOST_TEST(config.supervisord_url == "http://localhost:9001/RPC2");
    BOOST_TEST(config.supervisord_user.view() == "user");
    BOOST_TEST(config.supervisord_pass.view() == "123");
    const auto* mail = config.first_channel<MailConfig>();
    BOOST_REQUIRE(mail != nullptr);
    BOOST_TEST(mail->hosts == std::vector<std::string>{"smtp.test.com"}, boost::test_tools::per_element());
    BOOST_TEST(mail->port == 465);
    BOOST_TEST(mail->from == "ops@test.com");
    BOOST_TEST(mail->pass.view() == "123456");
    BOOST_TEST(mail->to_list == std::vector<std::string>{"test@test.com"}, boost::test_tools::per_element());
    BOOST_REQUIRE(config.cats.size() == 5u);
    const CatConfig& http = config.cats[2];
    BOOST_TEST(http.program == "test3");
    BOOST_TEST(http.own<HttpCheck>().json.view() == R"({"a":"b"})");
    BOOST_TEST(http.own<HttpCheck>().headers.view() == R"({"c":"1"})");
    BOOST_TEST(http.own<HttpCheck>().username.view() == "test");
    BOOST_TEST(http.own<HttpCheck>().password.view() == "pass");
    BOOST_TEST(config.cats[0].own<ExecAction>().command.view() == "command");
    const CatConfig& restart = config.cats[4];
    BOOST_TEST((restart.type == &kRestartCheck));
    BOOST_TEST(restart.success_threshold == 14400u);
    BOOST_TEST(restart.own<ExecAction>().command.view() == "echo '123456'");
    BOOST_TEST((restart.action == actions("exec")));
}

void check_second_sample(const Config& config) {
    BOOST_TEST(config.channels.empty());
    BOOST_REQUIRE(config.cats.size() == 3u);
    for (const CatConfig& cat : config.cats)
        BOOST_TEST(cat.program == "gateway");
    BOOST_TEST(config.cats[2].own<ExecAction>().command.view() == "sh /capaa/gateway/tools/bypass_new.sh 1");
}

// The complaints without their line and column, which depend on comments around the sample.
std::string texts_only(const LoadedConfig& loaded) {
    std::string out;
    for (Diagnostic d : loaded.diagnostics) {
        BOOST_TEST((d.severity == Diagnostic::Severity::warning));
        out += d.path + ": " + d.text + "\n";
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(first_sample_loads_with_every_value_in_its_place) {
    const LoadedConfig loaded = master::parse_config(read_file(data_file("sample-all.yaml")), "t");
    BOOST_TEST(complaints(loaded) == kFirstSampleComplaints);
    BOOST_REQUIRE(loaded.config != nullptr);
    check_first_sample(*loaded.config);
}

BOOST_AUTO_TEST_CASE(second_sample_with_null_mail_loads_with_one_warning) {
    const LoadedConfig loaded = master::parse_config(read_file(data_file("sample-gateway.yaml")), "t");
    BOOST_TEST(complaints(loaded) == kSecondSampleComplaints);
    BOOST_REQUIRE(loaded.config != nullptr);
    check_second_sample(*loaded.config);
}

BOOST_AUTO_TEST_CASE(samples_of_the_guide_itself_load_unchanged,
                     *boost::unit_test::precondition(guide_is_there)) {
    const std::vector<std::string> samples = guide_samples();
    BOOST_REQUIRE(samples.size() == 2u);
    const LoadedConfig first = master::parse_config(samples[0], "guide");
    BOOST_TEST(texts_only(first) ==
               "cat3.json: has no effect: mode is GET, and a body is sent only with POST\n");
    BOOST_REQUIRE(first.config != nullptr);
    check_first_sample(*first.config);
    const LoadedConfig second = master::parse_config(samples[1], "guide");
    BOOST_TEST(texts_only(second) ==
               "cat1.action: email is skipped, here and in 1 more: there is no config.mail\n");
    BOOST_REQUIRE(second.config != nullptr);
    check_second_sample(*second.config);
}

BOOST_AUTO_TEST_CASE(every_default_is_a_text_that_its_key_takes) {
    for (const auto& known : master::all_keys()) {
        const std::string text = known.default_text();
        if (text == "none" || text == "required")
            continue;
        Config config;
        CatConfig cat(known.type != nullptr ? *known.type : kHttpCheck);
        std::optional<ChannelConfig> channel;
        if (known.kind != nullptr)
            channel.emplace(*known.kind);
        const Result<void> done = known.key->set({&config, &cat, 0, channel ? &*channel : nullptr}, text);
        BOOST_TEST(static_cast<bool>(done), known.key->name << ": " << text);
    }
}

BOOST_AUTO_TEST_CASE(defaults_are_those_of_the_guide) {
    const auto standard = [](const auto& section, std::string_view name) {
        return master::find_key(section, name).default_text();
    };
    using enum master::Section;
    BOOST_TEST(standard(config, "supervisordUrl") == "unix:///var/run/supervisor.sock");
    BOOST_TEST(standard(config, "supervisordUser") == "none");
    BOOST_TEST(standard(kMailChannel, "host") == "required");
    BOOST_TEST(standard(kMailChannel, "port") == "465");
    BOOST_TEST(standard(kWebhookChannel, "url") == "required");
    BOOST_TEST(standard(kWebhookChannel, "format") == "json");
    for (const auto& [name, text] :
         std::vector<std::pair<std::string, std::string>>{{"type", "http"},
                                                          {"maxMem", "1024"},
                                                          {"memType", "rss"},
                                                          {"maxCpu", "90"},
                                                          {"mode", "GET"},
                                                          {"host", "localhost"},
                                                          {"path", "/"},
                                                          {"port", "80"},
                                                          {"pidGet", "supervisor"},
                                                          {"periodSeconds", "5"},
                                                          {"initialDelaySeconds", "1"},
                                                          {"timeoutSeconds", "3"},
                                                          {"failureThreshold", "3"},
                                                          {"successThreshold", "1"},
                                                          {"mincontinueRun", "28800"},
                                                          {"action", "restart,email"},
                                                          {"execTimeoutSeconds", "60"},
                                                          {"sendResolved", "false"}})
        BOOST_TEST(standard(cat, name) == text, name);
}

BOOST_AUTO_TEST_CASE(a_cat_with_a_program_only_gets_every_default) {
    const LoadedConfig loaded = master::parse_config("cat1:\n  program: web\n", "t");
    BOOST_REQUIRE(loaded.config != nullptr);
    BOOST_REQUIRE(loaded.config->cats.size() == 1u);
    const CatConfig& cat = loaded.config->cats[0];
    BOOST_TEST(cat.name == "cat1");
    BOOST_TEST(cat.line == 1);
    BOOST_TEST((cat.type == &kHttpCheck));
    BOOST_TEST(cat.period.count() == 5000);
    BOOST_TEST((cat.action == actions("restart,email")));
    BOOST_TEST(loaded.config->supervisord_url == "unix:///var/run/supervisor.sock");
}

BOOST_AUTO_TEST_CASE(aliases_set_the_key_that_they_stand_for) {
    const LoadedConfig loaded =
        master::parse_config(cat_of("method: post, hearders: {X-A: 010}, json: '{}'"), "t");
    BOOST_TEST(complaints(loaded) == "t:1:53: warning: cat1.hearders: is accepted, but is spelt 'headers'\n");
    BOOST_REQUIRE(loaded.config != nullptr);
    BOOST_TEST(loaded.config->cats[0].own<HttpCheck>().method == "POST");
    BOOST_TEST(loaded.config->cats[0].own<HttpCheck>().headers.view() == R"({"X-A":"010"})");
}

BOOST_AUTO_TEST_CASE(a_json_map_keeps_numbers_as_written_and_tells_texts_by_quotes) {
    const LoadedConfig loaded = master::parse_config(
        cat_of(
            R"(mode: POST, json: {n: 1.50, big: 12345678901234567890123, s: "1", b: True, z: null, w: yes, o: 010, l: [1, {}]})"),
        "t");
    BOOST_TEST(complaints(loaded) == "");
    BOOST_REQUIRE(loaded.config != nullptr);
    BOOST_TEST(
        loaded.config->cats[0].own<HttpCheck>().json.view() ==
        R"({"n":1.50,"big":12345678901234567890123,"s":"1","b":true,"z":null,"w":"yes","o":"010","l":[1,{}]})");
}

BOOST_AUTO_TEST_CASE(default_success_threshold_of_restart_covers_mincontinueRun) {
    const auto threshold = [](const std::string& keys) {
        const LoadedConfig loaded = master::parse_config(cat_of("type: restart, " + keys), "t");
        return loaded.config ? loaded.config->cats[0].success_threshold : 0u;
    };
    BOOST_TEST(threshold("periodSeconds: 5") == 5760u);
    BOOST_TEST(threshold("mincontinueRun: 10, periodSeconds: 3") == 4u);
    BOOST_TEST(threshold("mincontinueRun: 1, periodSeconds: 60") == 1u);
    BOOST_TEST(threshold("successThreshold: 7") == 7u);
}

BOOST_AUTO_TEST_CASE(whole_machine_is_never_restarted_by_default) {
    const LoadedConfig loaded = master::parse_config(
        "config: {mail: {host: h, user: a@b.c, to_list: [a@b.c]}}\ncat1: {program: system, type: cpu}\n",
        "t");
    BOOST_TEST(complaints(loaded) == "");
    BOOST_REQUIRE(loaded.config != nullptr);
    BOOST_TEST((loaded.config->cats[0].action == actions("email")));
}

BOOST_AUTO_TEST_CASE(a_login_in_the_url_is_that_of_the_keys_for_it_and_never_shown) {
    const auto url = [](const std::string& text, const std::string& more = "") {
        return master::parse_config("config: {supervisordUrl: '" + text + "'" + more + "}\n" + cat_of(""),
                                    "t");
    };
    const LoadedConfig loaded = url("http://ops:p%40ss%3a1@localhost:9001/RPC2");
    BOOST_REQUIRE_MESSAGE(loaded.config != nullptr, complaints(loaded));
    BOOST_TEST(loaded.config->supervisord_url == "http://localhost:9001/RPC2");
    BOOST_TEST(loaded.config->supervisord_user.view() == "ops");
    BOOST_TEST(loaded.config->supervisord_pass.view() == "p@ss:1");
    BOOST_TEST(complaints(loaded).find("warning: config.supervisordUrl: holds a user") != std::string::npos);
    const std::string dump = master::dump_config(*loaded.config);
    BOOST_TEST(dump.find("p@ss") == std::string::npos, dump);
    BOOST_TEST(dump.find("p%40ss") == std::string::npos, dump);
    // The same twice is no conflict, in whatever order; anything else is.
    BOOST_TEST(url("http://ops:geheim@h/", ", supervisordUser: ops, supervisordPass: geheim").config !=
               nullptr);
    BOOST_TEST(url("http://ops@h/", ", supervisordPass: geheim").config != nullptr);
    const LoadedConfig other = url("http://ops:geheim@h/", ", supervisordPass: geheim2");
    BOOST_TEST(other.config == nullptr);
    BOOST_TEST(complaints(other).find("config.supervisordPass: says otherwise than supervisordUrl") !=
               std::string::npos);
    for (const char* text : {"http://ops:ge/heim@h/", "http://ops:geheim?@h/", "http://ops:%zzgeheim@h/",
                             "http://ops:geheim%4@h/", "htp://ops:geheim@h/", "http://ops:geheim@",
                             "http://ops:geheim@h:0/", "unix://ops:geheim@/run/x", "ops:geheim@h:9001",
                             "http://ops:geheim%0a@h/", "http://o%3ap:geheim@h/", "http://a@h/geheim@"}) {
        const LoadedConfig refused = url(text);
        BOOST_TEST(refused.config == nullptr, text);
        BOOST_TEST(complaints(refused).find("geheim") == std::string::npos, complaints(refused));
        BOOST_TEST(complaints(refused).find("heim@") == std::string::npos, complaints(refused));
    }
}

BOOST_AUTO_TEST_CASE(a_cat_without_a_program_is_called_as_it) {
    const LoadedConfig loaded = master::parse_config(
        "web server: {type: tcp, action: none}\nsystem: {type: mem, action: none}\n", "t");
    BOOST_REQUIRE_MESSAGE(loaded.config != nullptr, complaints(loaded));
    BOOST_TEST(loaded.config->cats[0].program == "web server");
    BOOST_TEST((loaded.config->cats[0].action.main() == nullptr));
    BOOST_TEST(loaded.config->cats[0].action.tells.empty());
    BOOST_TEST(loaded.config->cats[1].whole_machine());
}

BOOST_AUTO_TEST_CASE(no_two_names_give_one_log_file) {
    Config config;
    config.log_dir = "/l";
    BOOST_TEST(worker_log_path(config, "cat1") == "/l/cat1.log");
    BOOST_TEST(worker_log_path(config, "A_1-x.y") == "/l/A_1-x.y.log");
    BOOST_TEST(worker_log_path(config, "web/w_00") == "/l/web%2Fw_00.log");
    BOOST_TEST(worker_log_path(config, "网关: 内存") == "/l/网关%3A%20内存.log");
    const std::string many(300, 'x');
    std::vector<std::string> names = {"web/w_00",        "web_w_00",        "web w_00",  "web:w_00",
                                      "web%2Fw_00",      "web%2fw_00",      "web//w_00", "web\xffw_00",
                                      "web~w_00",        "网/关",           "网_关",     "x/" + many,
                                      "x/" + many + "a", "x/" + many + "b", "x_" + many};
    std::set<std::string> files;
    for (const std::string& name : names) {
        const std::string file = worker_log_path(config, name);
        BOOST_TEST(files.insert(file).second, file);
        BOOST_TEST(file.find('/', 3) == std::string::npos, file);
        BOOST_TEST(file.size() + 5 <= 3u + 255u, file);
    }
}

BOOST_AUTO_TEST_CASE(mail_tls_follows_the_port_unless_given) {
    const auto tls = [](const std::string& keys) {
        const LoadedConfig loaded = master::parse_config(
            "config: {mail: {host: h, from: a@b.c, to_list: x@y.z, " + keys + "}}\n" + cat_of(""), "t");
        return loaded.config ? to_string(loaded.config->first_channel<MailConfig>()->tls) : "none loaded";
    };
    BOOST_TEST(tls("port: 465") == "implicit");
    BOOST_TEST(tls("port: '587'") == "starttls");
    BOOST_TEST(tls("port: 25") == "opportunistic");
    BOOST_TEST(tls("port: 2525") == "implicit");
    BOOST_TEST(tls("port: 25, tls: none") == "none");
}

BOOST_AUTO_TEST_CASE(https_has_its_own_port_unless_one_is_given) {
    const auto port = [](const std::string& keys) {
        const LoadedConfig loaded = master::parse_config(cat_of(keys), "t");
        return loaded.config ? loaded.config->cats[0].own<ServerAddress>().port : 0;
    };
    BOOST_TEST(port("tls: true") == 443);
    BOOST_TEST(port("tls: true, port: 80") == 80);
    BOOST_TEST(port("tls: false") == 80);
    BOOST_TEST(port("type: tcp, tls: true") == 80);
}

BOOST_AUTO_TEST_CASE(secrets_are_in_the_group_of_the_one_process_that_uses_them) {
    const LoadedConfig loaded =
        master::parse_config("config: {supervisordUser: u, supervisordPass: link-pw, mail: {host: h, user: "
                             "a@b.c, pass: mail-pw, to_list: a@b.c}}\n"
                             "cat1: {program: a, password: pw-0}\ncat2: {program: b, password: pw-1}\n",
                             "t");
    BOOST_REQUIRE(loaded.config != nullptr);
    const Config& config = *loaded.config;
    const std::vector<std::pair<SecretStore::Group, Secret>> owners = {
        {SecretStore::kLink, config.supervisord_pass},
        {SecretStore::kMail, config.first_channel<MailConfig>()->pass},
        {0, config.cats[0].own<HttpCheck>().password},
        {1, config.cats[1].own<HttpCheck>().password}};
    for (const auto& [group, own] : owners) {
        pid_t child = 0;
        {
            const SecretStore::Exposure exposure(*config.secrets, group);
            child = ::fork();
            if (child == 0) {
                int readable = 0;
                for (const auto& [unused, secret] : owners)
                    readable += secret.empty() ? 0 : 1;
                ::_exit(readable == 1 && !own.empty() ? 0 : 1);
            }
        }
        int status = -1;
        BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
        BOOST_TEST(status == 0, "group " << group);
    }
}

BOOST_AUTO_TEST_CASE(only_a_host_on_this_machine_is_not_remote) {
    for (const char* url : {"unix:///run/s.sock", "http://localhost:9001/RPC2", "http://127.1.2.3",
                            "http://[::1]:9001/RPC2", "https://LocalHost/"})
        BOOST_TEST(!is_remote_url(url), url);
    for (const char* url : {"http://10.0.0.1:9001/RPC2", "http://localhost.example.org", "https://[::2]/RPC2",
                            "http://127.0.0.1.example.org/"})
        BOOST_TEST(is_remote_url(url), url);
}

BOOST_AUTO_TEST_SUITE_END()
