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

// Those that have a value. The emitter quotes what YAML would take for something else.
void emit(YAML::Emitter& out, const Key& key, const KeySource& source) {
    std::string buffer;
    const std::string_view value = key.get(source, buffer);
    if (!value.empty())
        out << YAML::Key << std::string(key.name) << YAML::Value << shown(key, value);
}

void emit_keys(YAML::Emitter& out, Section section, const KeySource& source) {
    for (const Key& key : keys_of(section))
        emit(out, key, source);
}

}  // namespace

std::string dump_config(const Config& config) {
    YAML::Emitter out;
    out.SetIndent(4);
    out << YAML::BeginMap << YAML::Key << "config" << YAML::Value << YAML::BeginMap;
    emit_keys(out, Section::config, {&config, nullptr});
    out << YAML::Key << "mail" << YAML::Value;
    if (config.mail) {
        out << YAML::BeginMap;
        emit_keys(out, Section::mail, {&config, nullptr});
        out << YAML::EndMap;
    } else {
        out << YAML::Null;
    }
    if (!config.webhooks.empty()) {
        out << YAML::Key << "webhooks" << YAML::Value << YAML::BeginMap;
        for (const WebhookConfig& webhook : config.webhooks) {
            out << YAML::Key << webhook.name << YAML::Value << YAML::BeginMap;
            emit_keys(out, Section::webhook, {&config, nullptr, &webhook});
            out << YAML::EndMap;
        }
        out << YAML::EndMap;
    }
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
