// SPDX-License-Identifier: MIT
#include "stores/sqlite/schema.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

#include "history/time.h"

namespace flaky::sqlite {
namespace {

constexpr std::string_view kLedger = "schema";

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return text;
}

std::vector<AppliedMigration> LedgerRows(Connection& connection) {
  std::vector<AppliedMigration> applied;
  SQLite::Statement rows(connection.db(), "SELECT version, name, checksum FROM " + connection.Table(kLedger));
  while (rows.executeStep()) {
    applied.push_back({rows.getColumn(0).getInt64(), rows.getColumn(1).getString(), rows.getColumn(2).getString()});
  }
  return applied;
}

std::vector<AppliedMigration> ReadLedger(Connection& connection) {
  try {
    return LedgerRows(connection);
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() != SQLITE_ERROR) throw;
  }
  // There is no ledger, or it has another form, or another process has just created it.
  if (ReadOurTables(connection).at(connection.tables().Name(kLedger)).empty()) return {};
  return LedgerRows(connection);
}

bool Applies(Connection& connection, const SqlStep& step) {
  if (step.when == SqlStep::When::kAlways) return true;
  const bool present = ColumnsOf(connection, step.table).contains(step.column);
  return present == (step.when == SqlStep::When::kIfPresent);
}

void Apply(Connection& connection, const Migration& migration) {
  for (const SqlStep& step : StepsOf(migration, connection.prefix())) {
    if (Applies(connection, step)) connection.db().exec(step.sql);
  }
  SQLite::Statement row(connection.db(), "INSERT INTO " + connection.Table(kLedger) +
                                             " (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)");
  row.bind(1, migration.version);
  row.bind(2, std::string(migration.name));
  row.bind(3, Checksum(migration));
  row.bind(4, Timestamp::Now().ToString());
  row.exec();
}

// Imports the rows of the npm packages' tables, if the database has these in addition to ours.
std::optional<AdoptionSummary> Adopt(Connection& connection) {
  if (connection.prefix() == kNpmPrefix) return std::nullopt;
  const auto columns_of = [&](std::string_view table) {
    return ColumnsOf(connection, std::string(kNpmPrefix) + std::string(table));
  };
  const ColumnSet runs = columns_of("runs");
  if (!AreNpmTables(runs, columns_of("failures"))) return std::nullopt;
  const NpmAdoption adoption = NpmAdoptionInto(connection.prefix(), runs);
  SQLite::Statement whole(connection.db(), adoption.range);
  whole.bind(1, "");
  whole.bind(2, std::numeric_limits<int64_t>::max());
  whole.executeStep();
  if (const std::string last = whole.getColumn(0).getString(); whole.getColumn(1).getInt64() > 0) {
    for (const std::string& sql : adoption.statements) {
      SQLite::Statement insert(connection.db(), sql);
      insert.bind(1, "");
      insert.bind(2, last);
      insert.exec();
    }
  }
  SQLite::Statement summary(connection.db(), adoption.account);
  summary.executeStep();
  const auto number = [&](int column) { return summary.getColumn(column).getInt64(); };
  return AdoptionSummary{number(0), number(1), number(2), number(3), number(4)};
}

}  // namespace

ColumnSet ColumnsOf(Connection& connection, std::string_view table) {
  ColumnSet columns;
  SQLite::Statement rows(connection.db(), "SELECT name FROM pragma_table_info(?)");
  rows.bind(1, std::string(table));
  while (rows.executeStep()) columns.insert(Lower(rows.getColumn(0).getString()));
  return columns;
}

SchemaState ReadSchemaState(Connection& connection) {
  return StateOf(SqliteMigrations(), ReadLedger(connection), connection.name());
}

TableColumns ReadOurTables(Connection& connection) {
  TableColumns columns;
  for (const TableShape& shape : TableShapes()) {
    const std::string table = connection.tables().Name(shape.name);
    columns.emplace(table, ColumnsOf(connection, table));
  }
  CheckTablesAreOurs(connection.name(), connection.prefix(), columns);
  return columns;
}

std::vector<std::string> ForeignTables(Connection& connection) {
  std::vector<std::string> names;
  SQLite::Statement rows(connection.db(),
                         "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' "
                         "ESCAPE '!' ORDER BY name");
  while (rows.executeStep()) names.push_back(rows.getColumn(0).getString());
  const auto are_ours = [&](std::string_view prefix, std::initializer_list<std::string_view> wanted) {
    return std::ranges::all_of(TableShapes(), [&](const TableShape& shape) {
      if (std::ranges::find(wanted, shape.name) == wanted.end()) return true;
      const ColumnSet columns = ColumnsOf(connection, std::string(prefix) + std::string(shape.name));
      return !columns.empty() &&
             std::ranges::all_of(shape.columns, [&](const std::string& column) { return columns.contains(column); });
    });
  };
  // The tables in use are examined when they are used.
  const auto is_in_use = [&](const TableShape& shape) {
    return std::ranges::find(names, connection.tables().Name(shape.name)) != names.end();
  };
  if (std::ranges::any_of(TableShapes(), is_in_use)) return {};
  if (are_ours(kNpmPrefix, {"runs"}) || are_ours(kNpmPrefix, {"failures"})) return {};
  for (const std::string& name : names) {
    if (!name.ends_with(kLedger)) continue;
    const std::string prefix = name.substr(0, name.size() - kLedger.size());
    if (are_ours(prefix, {"runs", "failures", kLedger})) return {};
  }
  return names;
}

void RefuseForeign(const Connection& connection, const std::vector<std::string>& tables) {
  if (tables.empty()) return;
  const std::string more = tables.size() == 1 ? "" : " and " + std::to_string(tables.size() - 1) + " more";
  connection.Fail(ErrorKind::kInvalid, "use the tables",
                  "it is another program's database, with the table '" + tables.front() + "'" + more +
                      ", and none of flaky: name another file (FLAKY_TESTS_DB)");
}

void RefuseForeignFile(const Location& location) {
  struct stat status {};
  const std::string& path = location.address.Reveal();
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) return;
  std::optional<Connection> connection;
  std::vector<std::string> tables;
  try {
    Options options;
    options.untouched = true;
    options.without_log = true;
    connection.emplace(location, OpenMode::kRead, options);
    tables = connection->Guard("examine the tables", [&] { return ForeignTables(*connection); });
  } catch (const StoreError&) {
    return;
  }
  RefuseForeign(*connection, tables);
}

std::optional<AdoptionSummary> UpgradeSchema(Connection& connection, DeferredIndexes after_rows) {
  ReadOurTables(connection);
  const std::vector<std::string> foreign = ForeignTables(connection);
  // A log that another program left stays as it is, too.
  if (!foreign.empty()) {
    sqlite3_db_config(connection.db().getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, static_cast<int*>(nullptr));
  }
  RefuseForeign(connection, foreign);
  connection.UseWriteAheadLog();
  SQLite::Transaction transaction(connection.db(), SQLite::TransactionBehavior::IMMEDIATE);
  std::optional<AdoptionSummary> adopted;
  for (const Migration& migration : MigrationsUntil(SqliteMigrations(), after_rows)) {
    const std::vector<AppliedMigration> applied = ReadLedger(connection);
    CheckWritable(StateOf(SqliteMigrations(), applied, connection.name()), connection.name());
    if (std::any_of(applied.begin(), applied.end(),
                    [&](const AppliedMigration& row) { return row.version == migration.version; })) {
      continue;
    }
    ReadOurTables(connection);
    if (ComesAfterRows(migration) && !adopted) adopted = Adopt(connection);
    Apply(connection, migration);
  }
  if (after_rows == DeferredIndexes::kLater) adopted = Adopt(connection);
  transaction.commit();
  return adopted;
}

}  // namespace flaky::sqlite
