#include "master/entry/check_config.h"

#include "master/config/dump.h"
#include "master/config/reading/yaml.h"

#include <cstdio>

namespace healthcheckd::master {

namespace {

LoadedConfig load_and_complain(const std::string& file, std::FILE* out) {
    LoadedConfig loaded = load_config(file);
    for (const Diagnostic& diagnostic : loaded.diagnostics)
        std::fprintf(out, "%s\n", diagnostic.format().c_str());
    return loaded;
}

}  // namespace

int test_config(const std::string& file) {
    const LoadedConfig loaded = load_and_complain(file, stdout);
    if (!loaded.config)
        return 1;
    std::printf("%s: ok, %zu cats\n", file.c_str(), loaded.config->cats.size());
    return 0;
}

int print_config(const std::string& file) {
    const LoadedConfig loaded = load_and_complain(file, stderr);
    if (!loaded.config)
        return 1;
    std::fputs(dump_config(*loaded.config).c_str(), stdout);
    return 0;
}

}  // namespace healthcheckd::master
