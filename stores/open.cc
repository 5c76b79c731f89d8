// SPDX-License-Identifier: MIT
#include "stores/open.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "history/text.h"
#include "stores/driver.h"
#include "stores/drivers.h"
#include "stores/schemes.h"
#include "stores/sql/adoption.h"
#include "stores/sql/schema_script.h"

namespace flaky {

namespace {

// Those of RegisterStore.
std::vector<const Driver*>& Registered() {
  static std::vector<const Driver*> drivers;
  return drivers;
}

const Driver* FindRegistered(std::string_view name) {
  const auto found = std::ranges::find(Registered(), name, [](const Driver* driver) { return driver->name; });
  return found == Registered().end() ? nullptr : *found;
}

const Driver* FindDriver(std::string_view name) {
  const Driver* registered = FindRegistered(name);
  return registered != nullptr ? registered : GetDriver(name);
}

// Returns a driver of this build that has run_script, or null.
const Driver* FindScriptDriver() {
  for (const SchemeInfo& scheme : Schemes()) {
    const Driver* driver = scheme.uses_libpq ? FindDriver(scheme.name) : nullptr;
    if (driver != nullptr && driver->run_script != nullptr) return driver;
  }
  return nullptr;
}

std::string BuiltStores() {
  std::vector<std::string_view> forms;
  for (const SchemeInfo& scheme : Schemes()) {
    if (IsBuilt(scheme.name)) forms.push_back(scheme.address_form);
  }
  return forms.empty() ? "none" : Join(forms, ", ");
}

// Throws unless this build has the store. `display_name` may be empty.
const Driver& DriverOf(std::string_view store, const std::string& display_name, const std::string& operation) {
  if (const Driver* driver = FindDriver(store)) return *driver;
  const SchemeInfo* scheme = FindScheme(store);
  const std::string reason =
      scheme == nullptr || scheme->not_a_store.empty() ? "" : "; " + std::string(scheme->not_a_store);
  throw StoreError(
      ErrorKind::kInvalid, display_name, operation, "",
      "this build does not have the store '" + std::string(store) + "'; it has: " + BuiltStores() + reason);
}

const SqlSchema& SqlOf(std::string_view store) {
  const Driver& driver = DriverOf(store, "", "print the schema");
  if (driver.sql != nullptr) return *driver.sql;
  throw StoreError(ErrorKind::kInvalid, "", "print the schema", "",
                   "the store `" + std::string(store) + "` has no SQL tables");
}

LegacyTables LookOrDrop(const Location& location, const std::optional<RowCounts>& drop_if) {
  constexpr char kOperation[] = "drop the tables";
  const Driver& driver = DriverOf(location.scheme, location.display_name, kOperation);
  if (driver.look_or_drop != nullptr) return driver.look_or_drop(location, drop_if);
  throw StoreError(ErrorKind::kInvalid, location.display_name, kOperation, "",
                   "the store `" + location.scheme + "` has no SQL tables");
}

}  // namespace

std::unique_ptr<Store> OpenStore(const Location& location, OpenMode mode, RetryPolicy policy) {
  const Driver& driver = DriverOf(location.scheme, location.display_name, "open the store");
  return OpenWithRetry([&] { return driver.open(location, mode); }, std::move(policy));
}

std::optional<StoreHealth> ExamineStore(const Location& location) {
  const Driver& driver = DriverOf(location.scheme, location.display_name, "open the store");
  if (driver.examine == nullptr) return std::nullopt;
  return driver.examine(location);
}

std::string SchemaScript(std::string_view store, std::string_view prefix) {
  return SchemaScriptOf(SqlOf(store), prefix);
}

std::string AdoptionScript(std::string_view store, std::string_view from, std::string_view to, bool drop) {
  const SqlSchema& schema = SqlOf(store);
  if (from == to) {
    throw StoreError(ErrorKind::kInvalid, "", "print the schema", "",
                     "the legacy tables and the new ones have the same prefix '" + std::string(to) + "'");
  }
  return AdoptionScript(schema.dialect, from, to, drop);
}

SchemaState MigrateFromOutside(const Location& location, const Secret& database, const Secret& management_token) {
  constexpr char kOperation[] = "make the tables";
  const Driver& driver = DriverOf(location.scheme, location.display_name, kOperation);
  if (driver.migrate_from_outside != nullptr) {
    return driver.migrate_from_outside(location, database, management_token, FindScriptDriver());
  }
  throw StoreError(ErrorKind::kInvalid, location.display_name, kOperation, "", "the store makes its own tables");
}

LegacyTables LookAtTables(const Location& location) { return LookOrDrop(location, std::nullopt); }

LegacyTables DropTables(const Location& location, const RowCounts& drop_if) { return LookOrDrop(location, drop_if); }

bool IsBuilt(std::string_view store) { return FindRegistered(store) != nullptr || HasDriver(store); }

void RegisterStore(const SchemeInfo& scheme, const Driver& driver) {
  AddScheme(scheme);
  std::erase_if(Registered(), [&](const Driver* known) { return known->name == driver.name; });
  Registered().push_back(&driver);
}

}  // namespace flaky
