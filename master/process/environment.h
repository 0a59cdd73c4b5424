// Hides healthcheckd's environment, which may hold passwords, from children that do not need it. Master.
#pragma once

#include "common/system/secret.h"

namespace healthcheckd::master {

inline constexpr SecretStore::Group kEnvironment = 0;  // of the store below

// Moves the strings of environ(7) into a store, group kEnvironment, and overwrites the originals: a child
// forked without an Exposure reads empty strings. Variables that the C library, TLS and the resolver read in
// any process stay (TZ, LANG, LC_*, RES_OPTIONS, SSL_CERT_FILE and the like). The store lives as long as the
// process. Call once, before there are threads. Throws std::bad_alloc when no page can be allocated.
const SecretStore& hide_environment();

}  // namespace healthcheckd::master
