// What a new configuration changes for those who work by the old one. Master.
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

// May the link to supervisord go on?
bool same_link(const Config& a, const Config& b);

// May the process reader go on?
bool same_process_reader(const Config& a, const Config& b);

// Gives `fresh` the values of `old` for the keys that a reload does not change. Returns a sentence for each of
// which it had another one.
std::vector<std::string> keep_until_next_start(const Config& old, Config& fresh);

// May the mailer go on? It also works by the names of the cats: what the configuration has no more is
// forgotten.
bool same_mailer(const Config& a, const Config& b);

}  // namespace healthcheckd::master
