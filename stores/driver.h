#ifndef FLAKY_STORES_DRIVER_H_
#define FLAKY_STORES_DRIVER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "history/secret.h"
#include "stores/health.h"
#include "stores/legacy_tables.h"
#include "stores/location.h"
#include "stores/store.h"

namespace flaky {

struct SqlSchema;  // stores/sql/schema_script.h

// What the code of one store offers. Only `name` and `open` are required; a null pointer means that the store does not
// have the function. Callers use the functions of stores/open.h instead.
struct Driver {
  std::string_view name;  // of the store's SchemeInfo (stores/schemes.h)

  // Opens the store at the location. Throws StoreError.
  std::unique_ptr<Store> (*open)(const Location& location, OpenMode mode);

  // ExamineStore.
  StoreHealth (*examine)(const Location& location) = nullptr;

  // LookAtTables, and DropTables if there is a second argument.
  LegacyTables (*look_or_drop)(const Location& location, const std::optional<RowCounts>& drop_if) = nullptr;

  // MigrateFromOutside. `script_driver`: the driver of this build that has run_script; may be null.
  SchemaState (*migrate_from_outside)(const Location& location, const Secret& database, const Secret& management_token,
                                      const Driver* script_driver) = nullptr;

  // Runs an SQL script in the location's database, one process at a time. The script has its own transactions. For
  // stores that uses_libpq.
  void (*run_script)(const Location& location, const std::string& script, std::string_view operation) = nullptr;

  // The tables of a store that speaks SQL.
  const SqlSchema* sql = nullptr;
};

}  // namespace flaky

#endif  // FLAKY_STORES_DRIVER_H_
