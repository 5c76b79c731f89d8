// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_OPEN_H_
#define FLAKY_STORES_OPEN_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "history/secret.h"
#include "stores/health.h"
#include "stores/legacy_tables.h"
#include "stores/location.h"
#include "stores/retry_store.h"
#include "stores/store.h"

// Everything that can be done with a store by its location or name. Each function throws StoreError (kInvalid) for a
// store that this build does not have, with a list of those that it has, and for one that lacks the function.
namespace flaky {

struct Driver;
struct SchemeInfo;

// Opens the store at `location`, with transient failures repeated as `policy` says, now and in every verb. Throws what
// the store's own opening throws.
std::unique_ptr<Store> OpenStore(const Location& location, OpenMode mode, RetryPolicy policy = {});

// Asks the store at `location` for what `flaky doctor` reports. Changes nothing, not even a file's companions, and does
// not retry. A server gets at most 10 seconds for its first answer, unless the location says otherwise, and 5 to 10 for
// every later one. Returns nullopt if the store has no health check. Throws what opening the store throws.
std::optional<StoreHealth> ExamineStore(const Location& location);

// Returns the SQL that makes this store's tables with names that begin with `prefix`, in the newest version, to be run
// by hand in an empty database: all migrations and their entries in the ledger, each in a transaction.
std::string SchemaScript(std::string_view store, std::string_view prefix);

// Returns the SQL that copies the rows of the tables with the prefix `from` into those that SchemaScript makes, and
// with `drop` then removes the legacy tables. Throws StoreError (kInvalid) if both prefixes are equal.
std::string AdoptionScript(std::string_view store, std::string_view from, std::string_view to, bool drop);

// Makes or upgrades the tables of a store whose own protocol cannot do so (SchemeInfo::makes_tables): a Supabase
// project's, over its database's connection string or, if that is empty, over the Management API with a personal token.
// Returns the state after that, which the store itself may take some seconds to show.
SchemaState MigrateFromOutside(const Location& location, const Secret& database, const Secret& management_token);

// LookAtTables returns which tables with the location's prefix are this program's or the npm packages' `runs` and
// `failures`, with their numbers of rows. DropTables removes them in one transaction if the numbers are still
// `drop_if`, and returns what was there in both cases. The caller must have verified that the history was copied.
// Both throw StoreError, kMissing if there is no history.
LegacyTables LookAtTables(const Location& location);
LegacyTables DropTables(const Location& location, const RowCounts& drop_if);

// Returns true if this build has a store of that name.
bool IsBuilt(std::string_view store);

// Adds a store that is not part of flaky, for all functions above and for ParseLocation. A store of the same name is
// replaced. Call it at the start of the program, before other threads. Both arguments are kept: what they point to must
// live as long as the program. Precondition: scheme.name == driver.name.
void RegisterStore(const SchemeInfo& scheme, const Driver& driver);

}  // namespace flaky

#endif  // FLAKY_STORES_OPEN_H_
