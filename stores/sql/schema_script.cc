// SPDX-License-Identifier: MIT
#include "stores/sql/schema_script.h"

#include <string>

#include "stores/sql/boundaries.h"
#include "stores/sql/sql_script.h"

namespace flaky {

std::string SchemaScriptOf(const SqlSchema& schema, std::string_view prefix) {
  std::string script;
  const bool on_server = schema.dialect == SqlDialect::kPostgres;
  const std::string scope(schema.scope);
  std::string begin = "BEGIN;\n\n";
  if (on_server) begin += GuardBlock(prefix, scope) + ";\n\n";
  if (!scope.empty()) begin += "SET LOCAL search_path = pg_catalog, pg_temp;\n\n";
  const auto add = [&](const Migration& migration, const std::string& sql, const std::string& ledger,
                       std::string_view on_conflict) {
    script += begin + ReplaceAll(sql, "{prefix}", prefix) + "\nINSERT INTO " + scope + '"' + ledger +
              "\" (version, name, checksum, applied_at) VALUES (" + std::to_string(migration.version) + ", '" +
              std::string(migration.name) + "', '" + Checksum(migration) + "', " + std::string(schema.now) + ")" +
              std::string(on_conflict) + ";\n\nCOMMIT;\n\n";
  };
  // A store with a second series is only upgraded by this script, so the script can be run again.
  const std::string_view on_conflict = schema.more == nullptr ? "" : " ON CONFLICT (version) DO NOTHING";
  for (const Migration& migration : schema.migrations()) {
    add(migration, InScope(migration.sql, scope), std::string(prefix) + "schema", on_conflict);
  }
  if (on_server) script += "BEGIN;\n\n" + ClosingBlock(prefix, scope) + ";\n\nCOMMIT;\n\n";
  if (schema.more != nullptr) {
    for (const Migration& migration : schema.more()) {
      add(migration, std::string(migration.sql), std::string(prefix) + std::string(schema.more_name) + "_schema",
          on_conflict);
    }
  }
  script.pop_back();
  return script;
}

}  // namespace flaky
