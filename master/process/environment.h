// The environment of healthcheckd, kept from children that do not hand it on: it may hold passwords. Master.
#pragma once

#include "common/system/secret.h"

namespace healthcheckd::master {

inline constexpr SecretStore::Group kEnvironment = 0;  // of the store below

// Moves the texts that environ(7) points to into a store, group kEnvironment, and overwrites where they were;
// a child that is forked without an Exposure finds empty ones. What the C library, TLS and the resolver read
// in any process stays (TZ, LANG, LC_*, RES_OPTIONS, SSL_CERT_FILE and the like). The store lives as long as
// the process. Call once, before threads. Throws std::bad_alloc when no page can be had.
const SecretStore& hide_environment();

}  // namespace healthcheckd::master
