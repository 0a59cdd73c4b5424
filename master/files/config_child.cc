#include "master/files/config_child.h"

#include "common/wire/say.h"
#include "master/config/reading/yaml.h"
#include "master/config/transfer.h"

namespace healthcheckd::master {

int run_load_config(const std::string& path, std::span<char> area) {
    const auto packed = pack_config(load_config(path), area);
    if (packed)
        return 0;
    say(Broken{packed.error().text()});
    return 1;
}

}  // namespace healthcheckd::master
