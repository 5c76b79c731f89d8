// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_TURSO_STORE_H_
#define FLAKY_STORES_TURSO_TURSO_STORE_H_

#include <memory>
#include <optional>

#include "stores/driver.h"
#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/store.h"

namespace flaky::turso {

// Opens the history in the libSQL database that `location` names: `libsql://HOST`, `https://HOST`, `http://HOST:PORT`
// (stores/turso/url.h), on a server that speaks Hrana over HTTP: Turso's, or sqld.
//
// For writing, creates or upgrades the tables; for reading, changes nothing. A database of the npm package
// @flaky-tests/store-turso 0.2 (prefix "") is a history, too. Throws StoreError: kAuth (the message says whether the
// token is missing, wrong, expired or read-only), kMissing (no such database, no history in it), kInvalid (location,
// certificate, tables of another program), kSchemaTooNew, kTransient (unreachable, overloaded).
std::unique_ptr<Store> Open(const Location& location, OpenMode mode, const http::Options& options = {});

// Looks at the tables or, with `drop_if`, drops them: LookAtTables and DropTables (stores/open.h).
LegacyTables DropTables(const Location& location, const std::optional<RowCounts>& drop_if);

extern const Driver kDriver;

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_TURSO_STORE_H_
