// The files of conf/container by the rules that matter for them, and the table of containers in healthcheckd(8) against
// what t/container/check-container tries.
#include "common/config/config.h"
#include "master/entry/options.h"
#include "master/process/powers_note.h"
#include "t/fixture/basics.h"
#include "t/fixture/daemon/daemon.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <yaml-cpp/yaml.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_container_docs)

namespace {

const std::vector<std::string> kCommand = {"healthcheckctl", "status", "--failed"};

std::string source(const std::string& name) {
    return read_file((source_dir() / name).string());
}

using Section = std::map<std::string, std::string>;
struct Environment {
    std::string name;
    Section keys;  // with those of DEFAULT
};

// The file that check-container reads, in its order.
std::vector<Environment> environments() {
    std::vector<Environment> all;
    Section defaults;
    std::istringstream lines(source("t/container/environments"));
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#')
            continue;
        if (line.front() == '[') {
            all.push_back({line.substr(1, line.size() - 2), defaults});
            continue;
        }
        const std::size_t sign = line.find(" =");
        BOOST_TEST_REQUIRE(sign != std::string::npos, line);
        const std::string value = sign + 3 <= line.size() ? line.substr(sign + 3) : "";
        all.back().keys[line.substr(0, sign)] = value;
        if (all.back().name == "DEFAULT")
            defaults[line.substr(0, sign)] = value;
    }
    BOOST_TEST_REQUIRE(all.size() > 10U);
    all.erase(all.begin());
    return all;
}

std::string word(const std::string& expectation) {
    return expectation.substr(0, expectation.find(':'));
}

std::set<std::string> names_in(const YAML::Node& list) {
    std::set<std::string> names;
    for (const auto& each : list)
        names.insert(each.as<std::string>());
    return names;
}

// All capabilities that healthcheckd names when it has none.
std::set<std::string> used_capabilities() {
    const std::string text = master::powers_note(0, true, true).text;
    std::set<std::string> names;
    static const std::regex name("CAP_([A-Z_]+)");
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at)
        names.insert((*at)[1]);
    return names;
}

struct Instruction {
    std::string word, argument;
};

std::vector<Instruction> dockerfile() {
    const std::string text = std::regex_replace(
        std::regex_replace(source("conf/container/Dockerfile"), std::regex("(^|\n)#[^\n]*"), ""),
        std::regex(" *\\\\\n *"), " ");
    std::vector<Instruction> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (const std::size_t end = line.find(' '); end != std::string::npos)
            all.push_back({line.substr(0, end), line.substr(end + 1)});
    return all;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// The pod of kubernetes.yaml.
YAML::Node pod() {
    return YAML::LoadAll(source("conf/container/kubernetes.yaml")).at(1)["spec"]["template"]["spec"];
}

std::vector<std::string> words_of(const YAML::Node& command) {
    std::vector<std::string> words;
    for (const auto& word : command)
        words.push_back(word.as<std::string>());
    return words;
}

// The mountPath of each name.
std::map<std::string, std::string> mounted(const YAML::Node& container) {
    std::map<std::string, std::string> places;
    for (const auto& mount : container["volumeMounts"])
        places[mount["name"].as<std::string>()] = mount["mountPath"].as<std::string>();
    return places;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_table_of_containers_in_the_manual_is_what_check_container_tries) {
    std::vector<std::string> wanted;
    for (const auto& [name, keys] : environments()) {
        wanted.push_back(".It \"" + keys.at("title") + "\" Ta " + word(keys.at("other-pss")) + " Ta " +
                         word(keys.at("changed-pss")) + " Ta " + word(keys.at("by-name")));
        BOOST_TEST(word(keys.at("other")) == word(keys.at("other-pss")), name);
        // What the text before the table says of all containers.
        for (const char* feature :
             {"own", "net", "restarts", "restart", "kill", "exec", "mail", "commands", "reload"})
            BOOST_TEST(keys.at(feature) == "works", name << ": " << feature);
        if (word(keys.at("changed-pss")) == "unknown")
            BOOST_TEST(has(keys.at("changed-pss"), "CAP_SYS_PTRACE"), name);
    }
    const std::string page = source("man/healthcheckd.8");
    const std::string section = page.substr(page.find("\n.Sh CONTAINERS\n"));
    std::vector<std::string> shown;
    std::istringstream lines(section.substr(0, section.find("\n.El\n")));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(".It \""))
            shown.push_back(line);
    BOOST_TEST(shown == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_dockerfile_has_named_releases_no_leftovers_and_no_shell_around_what_runs) {
    std::map<std::string, int> times;
    std::set<std::string> stages;
    for (const auto& [word, argument] : dockerfile())
        BOOST_TEST_CONTEXT(word << ' ' << argument) {
            ++times[word];
            BOOST_TEST(word != "ADD");
            if (word == "FROM") {
                const std::string from = argument.substr(0, argument.find(' '));
                BOOST_TEST((stages.contains(from) || from == "debian:bookworm-slim"));
                if (const std::size_t as = argument.find(" AS "); as != std::string::npos)
                    stages.insert(argument.substr(as + 4));
            }
            if (word == "WORKDIR")
                BOOST_TEST(argument.starts_with("/"));
            if (word == "RUN" && has(argument, "apt-get install")) {
                BOOST_TEST(argument.starts_with("apt-get update && "));
                BOOST_TEST(has(argument, "apt-get install -y --no-install-recommends "));
                BOOST_TEST(argument.ends_with(" && rm -rf /var/lib/apt/lists/*"));
            }
            if (word == "RUN")
                for (const char* trick : {"|", ";", "cd ", "sudo", "curl", "wget", "eval", "sh -c"})
                    BOOST_TEST(!has(std::regex_replace(argument, std::regex("libcurl"), ""), trick), trick);
            if (word == "ENTRYPOINT")
                BOOST_TEST(argument.starts_with("[\"supervisord\", "));
            if (word == "HEALTHCHECK")
                BOOST_TEST(words_of(YAML::Load(argument.substr(argument.find(" CMD ") + 5))) == kCommand,
                           boost::test_tools::per_element());
        }
    for (const char* once : {"ENTRYPOINT", "HEALTHCHECK", "STOPSIGNAL"})
        BOOST_TEST(times[once] == 1, once);
    BOOST_TEST(times["CMD"] == 0);
    BOOST_TEST(times["FROM"] == 3);
}

BOOST_AUTO_TEST_CASE(compose_gives_the_capabilities_that_are_used_and_the_configuration_as_a_secret) {
    const YAML::Node compose = YAML::Load(source("conf/container/compose.yaml"));
    const YAML::Node service = compose["services"]["programs"];
    BOOST_TEST((names_in(service["cap_drop"]) == std::set<std::string>{"ALL"}));
    BOOST_TEST((names_in(service["cap_add"]) == used_capabilities()));
    BOOST_TEST((names_in(service["security_opt"]) == std::set<std::string>{"no-new-privileges:true"}));
    BOOST_TEST(service["read_only"].as<bool>());
    BOOST_TEST(!service["privileged"].IsDefined());
    const YAML::Node secret = service["secrets"][0];
    BOOST_TEST(secret["target"].as<std::string>() == master::Options().config_file);
    const std::string file = compose["secrets"][secret["source"].as<std::string>()]["file"].as<std::string>();
    BOOST_TEST(std::filesystem::exists(source_dir() / "conf/container" / file), file);
    BOOST_TEST(service["volumes"][0].as<std::string>().ends_with(":" + Config().state_dir));
    const auto context = std::filesystem::canonical(source_dir() / "conf/container" /
                                                    service["build"]["context"].as<std::string>());
    BOOST_TEST(std::filesystem::exists(context / service["build"]["dockerfile"].as<std::string>()));
}

BOOST_AUTO_TEST_CASE(kubernetes_mounts_the_folder_of_the_configuration_and_probes_by_healthcheckctl) {
    const auto documents = YAML::LoadAll(source("conf/container/kubernetes.yaml"));
    BOOST_TEST_REQUIRE(documents.size() == 2U);
    BOOST_TEST(documents[0]["kind"].as<std::string>() == "ConfigMap");
    BOOST_TEST((documents[1]["spec"]["selector"]["matchLabels"]["app"].as<std::string>() ==
                documents[1]["spec"]["template"]["metadata"]["labels"]["app"].as<std::string>()));
    const YAML::Node container = pod()["containers"][0];
    const YAML::Node security = container["securityContext"];
    BOOST_TEST((names_in(security["capabilities"]["add"]) == used_capabilities()));
    BOOST_TEST((names_in(security["capabilities"]["drop"]) == std::set<std::string>{"ALL"}));
    BOOST_TEST(!security["allowPrivilegeEscalation"].as<bool>());
    BOOST_TEST(security["readOnlyRootFilesystem"].as<bool>());
    for (const char* probe : {"readinessProbe", "livenessProbe"})
        BOOST_TEST((words_of(container[probe]["exec"]["command"]) == kCommand), probe);
    std::set<std::string> volumes, places;
    for (const auto& volume : pod()["volumes"])
        volumes.insert(volume["name"].as<std::string>());
    for (const auto& mount : container["volumeMounts"]) {
        BOOST_TEST(volumes.contains(mount["name"].as<std::string>()));
        BOOST_TEST(!mount["subPath"].IsDefined());
        places.insert(mount["mountPath"].as<std::string>());
    }
    BOOST_TEST(places.contains(std::filesystem::path(master::Options().config_file).parent_path().string()));
    BOOST_TEST(places.contains(Config().state_dir));
}

// Kubernetes gives an emptyDir mode 0777.
BOOST_AUTO_TEST_CASE(kubernetes_closes_each_empty_folder_before_the_start_with_no_rights) {
    const YAML::Node container = pod()["containers"][0];
    std::set<std::string> open, closed;
    for (const auto& volume : pod()["volumes"])
        if (volume["emptyDir"].IsDefined())
            open.insert(mounted(container).at(volume["name"].as<std::string>()));
    for (const auto& init : pod()["initContainers"]) {
        BOOST_TEST(init["image"].as<std::string>() == container["image"].as<std::string>());
        const YAML::Node security = init["securityContext"];
        BOOST_TEST((names_in(security["capabilities"]["drop"]) == std::set<std::string>{"ALL"}));
        BOOST_TEST(!security["capabilities"]["add"].IsDefined());
        BOOST_TEST(!security["allowPrivilegeEscalation"].as<bool>());
        const std::vector<std::string> command = words_of(init["command"]);
        BOOST_TEST(command.at(0) == "chmod");
        std::set<std::string> places;
        for (const auto& [name, place] : mounted(init)) {
            BOOST_TEST(place == mounted(container).at(name));
            places.insert(place);
        }
        BOOST_TEST((std::set<std::string>(command.begin() + 2, command.end()) == places));
        closed.merge(places);
    }
    BOOST_TEST(closed == open, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(kubernetes_runs_the_image_that_the_dockerfile_says_how_to_build) {
    const auto image = pod()["containers"][0]["image"].as<std::string>();
    BOOST_TEST(image.ends_with(":" HEALTHCHECKD_VERSION), image);
    BOOST_TEST(has(source("conf/container/Dockerfile"), "docker build -t " + image + " -f "), image);
}

BOOST_AUTO_TEST_CASE(the_environments_of_check_container_have_the_rights_of_these_files) {
    std::string wanted = "none";
    for (const std::string& each : used_capabilities())
        wanted += " +" + each;
    std::set<std::string> found;
    for (const auto& [name, keys] : environments()) {
        if (name != "compose" && name != "kubernetes")
            continue;
        found.insert(name);
        BOOST_TEST(keys.at("capabilities") == wanted);
        BOOST_TEST(keys.at("no-new-privileges") == "yes");
        BOOST_TEST(keys.at("read-only") == "yes");
    }
    BOOST_TEST(found.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_environment_kubernetes_has_the_folders_and_the_first_commands_of_the_manifest) {
    std::string folders, commands;
    const auto places = mounted(pod()["containers"][0]);
    for (const auto& volume : pod()["volumes"])
        if (volume["emptyDir"].IsDefined())
            folders += ' ' + places.at(volume["name"].as<std::string>()) + ":mode=777";
    for (const auto& init : pod()["initContainers"]) {
        for (const std::string& word : words_of(init["command"]))
            commands += word + ' ';
        commands += "&& ";
    }
    for (const auto& [name, keys] : environments()) {
        if (name != "kubernetes")
            continue;
        BOOST_TEST(' ' + keys.at("tmpfs") == folders);
        BOOST_TEST(keys.at("init") == "sh -c '" + commands + "exec \"$@\"' sh");
        return;
    }
    BOOST_TEST(false, "no such environment");
}

BOOST_AUTO_TEST_CASE(healthcheckd_takes_the_configurations_of_these_files) {
    const TempDir dir;
    const auto documents = YAML::LoadAll(source("conf/container/kubernetes.yaml"));
    for (const std::string& text :
         {source("conf/container/config.yaml"), documents[0]["data"]["config.yaml"].as<std::string>()}) {
        const CommandResult test =
            run_command({healthcheckd_binary(), "-t", "-c", dir.write("config.yaml", text, 0600)});
        BOOST_TEST(test.status == 0, test.output);
        BOOST_TEST(test.output.find("warning") == std::string::npos, test.output);
    }
}

BOOST_AUTO_TEST_SUITE_END()
