#include "master/config/compare.h"

#include "common/text/fnv.h"
#include "master/config/keys.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

bool same_value(const Key& key, const KeySource& a, const KeySource& b) {
    std::string text_a;
    std::string text_b;
    return key.get(a, text_a) == key.get(b, text_b);
}

// Returns whether the keys of `config` that `who` uses are unchanged.
bool same_global(const Config& a, const Config& b, Key::Renews who) {
    return std::ranges::all_of(config_keys(), [&](const Key& key) {
        return (key.renews & who) == 0 || same_value(key, {&a, nullptr}, {&b, nullptr});
    });
}

bool same_channels(const Config& a, const Config& b) {
    return std::ranges::equal(a.channels, b.channels, [&](const ChannelConfig& x, const ChannelConfig& y) {
        return x.label() == y.label() && std::ranges::all_of(x.kind->keys, [&](const Key& key) {
                   return same_value(key, {&a, nullptr, &x}, {&b, nullptr, &y});
               });
    });
}

}  // namespace

bool same_keys(const Config& a, const CatConfig& x, const Config& b, const CatConfig& y) {
    return x.type == y.type && std::ranges::all_of(keys_of(x), [&](const Key* key) {
               return same_value(*key, {&a, &x}, {&b, &y});
           });
}

bool same_workers(const Config& a, const Config& b) {
    return same_global(a, b, Key::kWorkers);
}

std::string definition_of(const Config& config, const CatConfig& cat) {
    std::uint64_t hash = kFnvSeed;
    const auto mix = [&](std::string_view text) {
        hash = fnv1a("\xff", fnv1a(text, hash));  // a separator: no text contains this byte
    };
    const CatConfig defaults(*cat.type);
    mix(cat.type->name);
    for (const Key* key : keys_of(cat)) {
        std::string buffer;
        std::string default_buffer;
        const std::string_view value = key->get({&config, &cat}, buffer);
        if (key->sensitivity != Sensitivity::open || value == key->get({&config, &defaults}, default_buffer))
            continue;
        mix(key->name);
        mix(value);
    }
    return fmt::format("{:016x}", hash);
}

bool same_link(const Config& a, const Config& b) {
    return same_global(a, b, Key::kLink);
}

bool same_process_reader(const Config& a, const Config& b) {
    return same_global(a, b, Key::kProcessReader);
}

std::vector<std::string> keep_until_next_start(const Config& old, Config& fresh) {
    std::vector<std::string> notes;
    for (const Key& key : config_keys()) {
        const KeySource before{&old, nullptr}, now{&fresh, nullptr};
        if ((key.renews & Key::kNextStart) == 0 || same_value(key, before, now))
            continue;
        std::string buffer;
        notes.push_back(
            fmt::format("config.{} is {} only from the next start on", key.name, key.get(now, buffer)));
        const std::string kept(key.get(before, buffer));
        (void)key.set({&fresh, nullptr, 0}, kept);  // it was valid before
    }
    return notes;
}

bool same_mailer(const Config& a, const Config& b) {
    return same_channels(a, b) && same_global(a, b, Key::kMailer) && a.mailer_uid == b.mailer_uid &&
           a.mailer_gid == b.mailer_gid &&
           std::ranges::equal(a.cats, b.cats, {}, &CatConfig::name, &CatConfig::name);
}

}  // namespace healthcheckd::master
