// SPDX-License-Identifier: MIT
#include "stores/sql/ledger.h"

#include <algorithm>

#include "history/digest.h"

namespace flaky {

std::string Checksum(const Migration& migration) { return DigestOf(migration.sql).ToString(); }

std::vector<SqlStep> StepsOf(const Migration& migration, std::string_view prefix) {
  return ParseSqlScript(ReplaceAll(migration.sql, "{prefix}", prefix));
}

std::span<const Migration> MigrationsUntil(std::span<const Migration> known, DeferredIndexes after_rows) {
  while (after_rows == DeferredIndexes::kLater && !known.empty() && ComesAfterRows(known.back())) {
    known = known.first(known.size() - 1);
  }
  return known;
}

bool ComesAfterRows(const Migration& migration) { return migration.sql.starts_with("-- after-rows\n"); }

SchemaState StateOf(std::span<const Migration> known, std::span<const AppliedMigration> applied,
                    const std::string& store) {
  SchemaState state;
  for (const AppliedMigration& row : applied) state.found = std::max(state.found, row.version);
  for (const Migration& migration : known) {
    state.known = std::max(state.known, migration.version);
    const auto row = std::find_if(applied.begin(), applied.end(),
                                  [&](const AppliedMigration& each) { return each.version == migration.version; });
    if (row == applied.end()) {
      state.pending.emplace_back(migration.name);
    } else if (const std::string ours = Checksum(migration); row->checksum != ours) {
      throw StoreError(ErrorKind::kInvalid, store, "use the schema", "",
                       "its migration " + std::to_string(row->version) + " '" + row->name + "' has the checksum " +
                           row->checksum + ", this program's '" + std::string(migration.name) + "' has " + ours +
                           ": the tables were made by another build of flaky, or the ledger was edited");
    }
  }
  return state;
}

void CheckWritable(const SchemaState& state, const std::string& store) {
  if (state.found <= state.known) return;
  throw StoreError(ErrorKind::kSchemaTooNew, store, "write", "",
                   "written by a newer flaky (schema " + std::to_string(state.found) + ", this program knows " +
                       std::to_string(state.known) + "): upgrade flaky");
}

}  // namespace flaky
