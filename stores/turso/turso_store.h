#ifndef FLAKY_STORES_TURSO_TURSO_STORE_H_
#define FLAKY_STORES_TURSO_TURSO_STORE_H_

#include <memory>
#include <optional>

#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/sql/legacy_tables.h"
#include "stores/store.h"

namespace flaky {

struct TursoOptions {
  HttpOptions http;
};

// Opens the history in the libSQL database that `location` names: `libsql://HOST`, `https://HOST`, `http://HOST:PORT`
// (stores/turso/url.h), on a server that speaks Hrana over HTTP: Turso's, or sqld.
//
// For writing, the tables are made or upgraded; for reading, nothing is changed. A database that the npm package
// @flaky-tests/store-turso 0.2 made (prefix "") is a history, too. Throws StoreError: kAuth (which says whether the
// token is missing, wrong, expired or for reading only), kMissing (no such database, no history in it), kInvalid
// (location, certificate, somebody else's tables), kSchemaTooNew, kTransient (not to be reached, overloaded).
std::unique_ptr<Store> OpenTurso(const Location& location, OpenMode mode, const TursoOptions& options = {});

// As LookAtTables and DropTables (stores/sql/legacy_tables.h).
LegacyTables DropTursoTables(const Location& location, const std::optional<RowCounts>& drop_if);

}  // namespace flaky

#endif  // FLAKY_STORES_TURSO_TURSO_STORE_H_
