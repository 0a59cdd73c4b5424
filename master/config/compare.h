// Compares a new configuration with the present one, to decide which children a reload replaces. Master.
#pragma once

#include "common/config/config.h"

#include <string>
#include <vector>

namespace healthcheckd::master {

// Returns whether every key of the cat has the same value in both, secrets included; then its counts stay. The
// caller has found both by their name.
bool same_keys(const Config& a, const CatConfig& x, const Config& b, const CatConfig& y);

// Returns whether the keys of `config` that all workers work by have the same values; then a cat with the same keys
// keeps its worker and its schedule.
bool same_workers(const Config& a, const Config& b);

// A short text that changes when a key of the cat gets another value; secrets and the name do not count. It is the
// same at each start, and in later versions that have more keys: a key at its default value does not count.
std::string definition_of(const Config& config, const CatConfig& cat);

// Returns whether the link to supervisord can continue.
bool same_link(const Config& a, const Config& b);

// Returns whether the process reader can continue.
bool same_process_reader(const Config& a, const Config& b);

// Copies to `fresh` the values of `old` for the keys that a reload does not change. Returns a sentence for
// each key that had another value.
std::vector<std::string> keep_until_next_start(const Config& old, Config& fresh);

// Returns whether the mailer can continue. It also uses the names of the cats: it forgets cats that
// are no longer configured.
bool same_mailer(const Config& a, const Config& b);

}  // namespace healthcheckd::master
