#ifndef FLAKY_STORES_OPEN_H_
#define FLAKY_STORES_OPEN_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stores/location.h"
#include "stores/retry_store.h"
#include "stores/sql/legacy_tables.h"
#include "stores/store.h"

namespace flaky {

// Opens the store at `location`, with transient failures repeated as `policy` says, now and in every verb. Throws
// StoreError: kInvalid for a store that this build does not have (the message lists those it has), otherwise what the
// store's own opening throws.
std::unique_ptr<Store> OpenStore(const Location& location, OpenMode mode, RetryPolicy policy = {});

// The SQL that makes the tables of this store with names that begin with `prefix`, in the newest version, for running
// by hand in an empty database: all migrations and their entries in the ledger, each in a transaction. Throws
// StoreError (kInvalid) for a store that has none, and for one that this build does not have.
std::string SchemaScript(std::string_view store, std::string_view prefix);

// The SQL that copies the rows of the tables with the prefix `from` into those that SchemaScript makes, and with `drop`
// then removes the old ones (stores/sql/adoption.h). Throws as SchemaScript does, and StoreError (kInvalid) where both
// prefixes are one.
std::string AdoptionScript(std::string_view store, std::string_view from, std::string_view to, bool drop);

// Brings the tables of a store up to date that its own protocol cannot change: a Supabase project's, over its
// database's connection string or, where that is empty, over the Management API with a personal token. Gives the state
// after that, which the store itself may take some seconds to show. Throws StoreError: kInvalid for any other store,
// and for one that this build does not have.
SchemaState MigrateFromOutside(const Location& location, const Secret& database, const Secret& management_token);

// The schemes this program knows, and whether this build has their store.
struct SchemeInfo {
  std::string scheme;
  bool built;
  std::string address_form;  // "sqlite:PATH"
};
const std::vector<SchemeInfo>& KnownSchemes();

}  // namespace flaky

#endif  // FLAKY_STORES_OPEN_H_
