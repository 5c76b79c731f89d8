// SPDX-License-Identifier: MIT
#include "stores/supabase/schema.h"

#include <algorithm>
#include <string_view>

#include "stores/supabase/columns.h"

namespace flaky::supabase {
namespace {

constexpr std::string_view kOperation = "use the tables";

std::vector<AppliedMigration> RowsOf(const Connection& connection, simdjson::dom::element root,
                                     std::string_view member) {
  std::vector<AppliedMigration> applied;
  simdjson::dom::element list;
  if (root[member].get(list) != simdjson::SUCCESS) connection.FailMalformed(kOperation);
  if (list.is_null()) return applied;  // the table is empty
  for (const simdjson::dom::element row : connection.ArrayOf(list, kOperation)) {
    RowReader fields({connection, connection.TextsOf(row, 3, kOperation)}, "schema");
    AppliedMigration& migration = applied.emplace_back();
    fields("version", migration.version);
    fields("name", migration.name);
    fields("checksum", migration.checksum);
  }
  return applied;
}

}  // namespace

SchemaState ReadSchemaState(Connection& connection) {
  const simdjson::dom::element root = connection.Call("schema", {}, kOperation);
  const SchemaState tables = StateOf(PostgresMigrations(), RowsOf(connection, root, "tables"), connection.name());
  const SchemaState functions = StateOf(SupabaseMigrations(), RowsOf(connection, root, "functions"), connection.name());
  SchemaState state{tables.found + functions.found, tables.known + functions.known, tables.pending};
  state.pending.insert(state.pending.end(), functions.pending.begin(), functions.pending.end());
  // If one is too new, the state is too new, even if the other one has pending migrations.
  const bool newer = tables.found > tables.known || functions.found > functions.known;
  if (newer) state.found = std::max(state.found, state.known + 1);
  return state;
}

}  // namespace flaky::supabase
