// SPDX-License-Identifier: MIT
#include "stores/sql/schema_script.h"

#include "stores/sql/sql_script.h"

namespace flaky {

std::string SchemaScriptOf(const SqlSchema& schema, std::string_view prefix) {
  std::string script;
  const auto add = [&](std::span<const Migration> migrations, const std::string& ledger, std::string_view on_conflict) {
    for (const Migration& migration : migrations) {
      script += "BEGIN;\n\n" + ReplaceAll(migration.sql, "{prefix}", prefix) + "\nINSERT INTO \"" + ledger +
                "\" (version, name, checksum, applied_at) VALUES (" + std::to_string(migration.version) + ", '" +
                std::string(migration.name) + "', '" + Checksum(migration) + "', " + std::string(schema.now) + ")" +
                std::string(on_conflict) + ";\n\nCOMMIT;\n\n";
    }
  };
  // A store with a second series is only upgraded by this script, so the script can be run again.
  const std::string_view on_conflict = schema.more == nullptr ? "" : " ON CONFLICT (version) DO NOTHING";
  add(schema.migrations(), std::string(prefix) + "schema", on_conflict);
  if (schema.more != nullptr) {
    add(schema.more(), std::string(prefix) + std::string(schema.more_name) + "_schema", on_conflict);
  }
  script.pop_back();
  return script;
}

}  // namespace flaky
