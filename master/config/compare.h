// What a new configuration changes for those who work by the old one. Master.
#pragma once

#include "common/config/config.h"

#include <string>
#include <vector>

namespace healthcheckd::master {

// May the cat keep its worker, its counts and its schedule? Compares every key of the cat, secrets included,
// and those of `config` that its worker works by. The names must be the same already.
bool same_cat(const Config& a, const CatConfig& x, const Config& b, const CatConfig& y);

// A short text that is another one when a key of the cat is given another value; secrets and its name do not
// count. Does not change from one start to the next.
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
