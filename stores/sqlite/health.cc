// SPDX-License-Identifier: MIT
#include "stores/sqlite/health.h"

#include <chrono>

#include "stores/sql/additions.h"
#include "stores/sql/other_prefixes.h"
#include "stores/sql/sqlite_dialect.h"
#include "stores/sqlite/connection.h"
#include "stores/sqlite/schema.h"

namespace flaky::sqlite {
namespace {

constexpr std::chrono::milliseconds kPatience{2'000};

}  // namespace

// The caller checks the file's permissions, because those of the folder matter as well.
StoreHealth Examine(const Location& location) {
  Options options;
  options.busy_timeout = kPatience;
  options.untouched = true;
  Connection connection(location, OpenMode::kRead, options);
  StoreHealth health;
  health.server = std::string("SQLite ") + SQLite::getLibVersion();
  connection.Guard("examine the tables", [&] {
    AskForTime(health, [&] {
      connection.db().tryExec("SELECT 1 FROM sqlite_master");
      return std::nullopt;
    });
    std::vector<std::string> tables;
    SQLite::Statement names(connection.db(), "SELECT name FROM sqlite_master WHERE type = 'table'");
    while (names.executeStep()) tables.push_back(names.getColumn(0).getString());
    FindOtherPrefixes(health, tables, connection.prefix());
    RefuseForeign(connection, ForeignTables(connection));
    TableColumns columns;
    for (const TableShape& shape : TableShapes()) {
      const std::string table = connection.tables().Name(shape.name);
      columns.emplace(table, ColumnsOf(connection, table));
    }
    health.additions = AdditionsTo(connection.prefix(), columns, tables, health.other_prefixes);
    const SchemaState state = ReadSchemaState(connection);
    for (const TableShape& shape : TableShapes()) {
      const std::string table = connection.prefix() + std::string(shape.name);
      if (ColumnsOf(connection, table).empty()) {
        health.missing.push_back(table);
      } else {
        health.has_tables = true;
      }
    }
    // Tables that a pending migration will create aren't missing.
    if (!state.pending.empty()) health.missing.clear();
    if (!health.has_tables) return;
    health.schema = state;
    if (ColumnsOf(connection, connection.prefix() + "runs").empty()) return;
    SQLite::Statement newest(connection.db(), NewestRun(connection.tables()));
    if (newest.executeStep()) health.newest_run = Timestamp::Parse(newest.getColumn(0).getString());
  });
  return health;
}

}  // namespace flaky::sqlite
