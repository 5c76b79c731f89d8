#include "stores/sqlite/schema.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "history/time.h"

namespace flaky {
namespace {

constexpr std::string_view kLedger = "schema";

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return text;
}

std::vector<AppliedMigration> LedgerRows(SqliteConnection& connection) {
  std::vector<AppliedMigration> applied;
  SQLite::Statement rows(connection.db(), "SELECT version, name, checksum FROM " + connection.Table(kLedger));
  while (rows.executeStep()) {
    applied.push_back({rows.getColumn(0).getInt64(), rows.getColumn(1).getString(), rows.getColumn(2).getString()});
  }
  return applied;
}

std::vector<AppliedMigration> ReadLedger(SqliteConnection& connection) {
  try {
    return LedgerRows(connection);
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() != SQLITE_ERROR) throw;
  }
  // There is no ledger, or one of another form, or another process has made it just now.
  CheckTablesAreOurs(connection);
  if (ColumnsOf(connection, connection.prefix() + std::string(kLedger)).empty()) return {};
  return LedgerRows(connection);
}

bool Applies(SqliteConnection& connection, const SqlStep& step) {
  if (step.when == SqlStep::When::kAlways) return true;
  const bool present = ColumnsOf(connection, step.table).contains(step.column);
  return present == (step.when == SqlStep::When::kIfPresent);
}

void Apply(SqliteConnection& connection, const Migration& migration) {
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

// Puts the rows of the npm packages' tables, where they stand beside ours, into ours.
std::optional<AdoptionSummary> Adopt(SqliteConnection& connection) {
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
  SQLite::Statement account(connection.db(), adoption.account);
  account.executeStep();
  const auto number = [&](int column) { return account.getColumn(column).getInt64(); };
  return AdoptionSummary{number(0), number(1), number(2), number(3), number(4)};
}

}  // namespace

ColumnSet ColumnsOf(SqliteConnection& connection, std::string_view table) {
  ColumnSet columns;
  SQLite::Statement rows(connection.db(), "SELECT name FROM pragma_table_info(?)");
  rows.bind(1, std::string(table));
  while (rows.executeStep()) columns.insert(Lower(rows.getColumn(0).getString()));
  return columns;
}

SchemaState ReadSchemaState(SqliteConnection& connection) {
  return StateOf(SqliteMigrations(), ReadLedger(connection), connection.name());
}

void CheckTablesAreOurs(SqliteConnection& connection) {
  CheckTablesAreOurs(connection.name(), connection.prefix(),
                     [&](const std::string& table) { return ColumnsOf(connection, table); });
}

std::optional<AdoptionSummary> UpgradeSchema(SqliteConnection& connection, DeferredIndexes after_rows) {
  CheckTablesAreOurs(connection);
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
    CheckTablesAreOurs(connection);
    if (ComesAfterRows(migration)) adopted = Adopt(connection);
    Apply(connection, migration);
  }
  if (after_rows == DeferredIndexes::kLater) adopted = Adopt(connection);
  transaction.commit();
  return adopted;
}

}  // namespace flaky
