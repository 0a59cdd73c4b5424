// What the tests of the configuration share.
#pragma once

#include "common/config.h"
#include "master/config_yaml.h"
#include "t/fixture/basics.h"

#include <string>

namespace healthcheckd::test {

// All complaints, one a line.
inline std::string complaints(const LoadedConfig& loaded) {
    std::string out;
    for (const Diagnostic& d : loaded.diagnostics)
        out += d.format() + "\n";
    return out;
}

// Complaints about `yaml` as the file "t".
inline std::string complaints_about(const std::string& yaml) {
    return complaints(master::parse_config(yaml, "t"));
}

// The keys of one cat, with what every cat needs: a program and an action that needs no mail.
inline std::string cat_of(const std::string& keys) {
    return "cat1: {program: web, action: restart, " + keys + "}\n";
}

inline std::string data_file(const std::string& name) {
    return (source_dir() / "t" / "data" / name).string();
}

}  // namespace healthcheckd::test
