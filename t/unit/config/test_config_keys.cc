// The tables of keys: those of healthcheckd, and those that each type of check, action and kind of channel adds.
#include "common/config/channel_kind.h"
#include "common/config/check_type.h"
#include "master/config/keys.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_config_keys)

// find_key() would give one of the two, and the other would never be set.
BOOST_AUTO_TEST_CASE(no_two_keys_of_one_scope_share_a_name) {
    // What a cat, the section config or a channel may have at once.
    std::vector<std::pair<std::string, std::vector<const Key*>>> scopes{{"config", {}}};
    for (const Key& key : master::config_keys())
        scopes.front().second.push_back(&key);
    for (const ChannelKind* kind : channel_kinds()) {
        scopes.push_back({std::string(kind->section), {}});
        for (const Key& key : kind->keys)
            scopes.back().second.push_back(&key);
    }
    for (const CheckType* type : check_types()) {
        scopes.push_back({std::string(type->name), {}});
        for (const master::KnownKey& known : master::all_keys())
            if (known.section == master::Section::cat && (known.type == nullptr || known.type == type))
                scopes.back().second.push_back(known.key);
    }
    for (const auto& [scope, keys] : scopes) {
        BOOST_TEST(!keys.empty(), scope);
        std::set<std::string_view> names;
        for (const Key* key : keys)
            for (const std::string_view name : {key->name, key->alias})
                BOOST_TEST((name.empty() || names.insert(name).second), scope << " has two keys " << name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
