#include "master/config/dump.h"

#include "common/config/json.h"
#include "master/config/keys.h"

#include <yaml-cpp/emitter.h>

namespace healthcheckd::master {

namespace {

std::string shown(const Key& key, std::string_view value) {
    switch (key.sensitivity) {
    case Sensitivity::open:
    case Sensitivity::kept:
    case Sensitivity::command:
        return std::string(value);
    case Sensitivity::masked:
        return masked_json(value);
    case Sensitivity::password:
        return std::string(kMask);
    case Sensitivity::url:
        return std::string(value.substr(0, value.find('/', value.find("://") + 3))) + '/' +
               std::string(kMask);
    }
    __builtin_unreachable();
}

// Writes a key if it has a value. The emitter quotes what YAML would otherwise misread.
void emit(YAML::Emitter& out, const Key& key, const KeySource& source) {
    std::string buffer;
    const std::string_view value = key.get(source, buffer);
    if (!value.empty())
        out << YAML::Key << std::string(key.name) << YAML::Value << shown(key, value);
}

void emit_channel(YAML::Emitter& out, const Config& config, const ChannelConfig& channel) {
    out << YAML::BeginMap;
    for (const Key& key : channel.kind->keys)
        emit(out, key, {&config, nullptr, &channel});
    out << YAML::EndMap;
}

// Writes the section of a kind: its channel, or a map of them. Without a mail channel the section
// says so, as in the guide.
void emit_channels(YAML::Emitter& out, const Config& config, const ChannelKind& kind) {
    std::vector<const ChannelConfig*> all;
    for (const ChannelConfig& each : config.channels)
        if (each.kind == &kind)
            all.push_back(&each);
    if (kind.named && all.empty())
        return;
    out << YAML::Key << std::string(kind.section) << YAML::Value;
    if (all.empty()) {
        out << YAML::Null;
    } else if (!kind.named) {
        emit_channel(out, config, *all.front());
    } else {
        out << YAML::BeginMap;
        for (const ChannelConfig* each : all) {
            out << YAML::Key << each->name << YAML::Value;
            emit_channel(out, config, *each);
        }
        out << YAML::EndMap;
    }
}

}  // namespace

std::string dump_config(const Config& config) {
    YAML::Emitter out;
    out.SetIndent(4);
    out << YAML::BeginMap << YAML::Key << "config" << YAML::Value << YAML::BeginMap;
    for (const Key& key : config_keys())
        emit(out, key, {&config, nullptr});
    for (const ChannelKind* kind : channel_kinds())
        emit_channels(out, config, *kind);
    out << YAML::EndMap;
    for (const CatConfig& cat : config.cats) {
        out << YAML::Key << cat.name << YAML::Value << YAML::BeginMap;
        for (const Key* key : keys_of(cat))
            emit(out, *key, {&config, &cat});
        out << YAML::EndMap;
    }
    out << YAML::EndMap;
    return std::string(out.c_str()) + "\n";
}

}  // namespace healthcheckd::master
