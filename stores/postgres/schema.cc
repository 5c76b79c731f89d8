// SPDX-License-Identifier: MIT
#include "stores/postgres/schema.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "history/digest.h"
#include "stores/postgres/binary.h"
#include "stores/postgres/columns.h"
#include "stores/postgres/errors.h"
#include "stores/sql/boundaries.h"

namespace flaky::postgres {
namespace {

constexpr std::string_view kLedger = "schema";

std::string TextAt(const pqxx::row& row, int column) {
  const pqxx::field field = row[column];
  return {field.c_str(), static_cast<size_t>(field.size())};
}

std::vector<AppliedMigration> RowsOf(const Connection& connection, const pqxx::result& rows) {
  std::vector<AppliedMigration> applied;
  for (const pqxx::row& row : rows) {
    AppliedMigration& migration = applied.emplace_back();
    RowReader fields({connection, row}, "schema");
    fields("version", migration.version);
    fields("name", migration.name);
    fields("checksum", migration.checksum);
  }
  return applied;
}

std::string LedgerSql(const Connection& connection) {
  return "SELECT version, name, checksum, pg_catalog.current_setting('server_encoding') FROM " +
         connection.Table(kLedger);
}

TableColumns ReadColumns(const Connection& connection, pqxx::transaction_base& transaction) {
  std::vector<TypedColumn> columns = {{"name", ColumnType::kText}, {"quoted", ColumnType::kText}};
  RowWriter tables(columns);
  TableColumns found;
  for (const TableShape& shape : TableShapes()) {
    found[connection.Name(shape.name)];
    tables("name", connection.Name(shape.name));
    tables("quoted", connection.Table(shape.name));
  }
  BinaryValues values;
  const std::string names = tables.Unnest(values);
  const pqxx::result rows =
      Execute(transaction,
              "SELECT t.name, a.attname FROM " + names +
                  " AS t (name, quoted) JOIN pg_attribute a ON a.attrelid = to_regclass(t.quoted) "
                  "WHERE a.attnum > 0 AND NOT a.attisdropped",
              std::move(values));
  for (const pqxx::row& row : rows) found[TextAt(row, 0)].insert(TextAt(row, 1));
  return found;
}

TableColumns ReadOurTables(const Connection& connection, pqxx::transaction_base& transaction) {
  TableColumns columns = ReadColumns(connection, transaction);
  CheckTablesAreOurs(connection.name(), connection.prefix(), columns);
  return columns;
}

std::vector<AppliedMigration> ReadLedger(const Connection& connection, pqxx::transaction_base& transaction) {
  if (ReadOurTables(connection, transaction).at(connection.Name(kLedger)).empty()) return {};
  return RowsOf(connection, Execute(transaction, LedgerSql(connection)));
}

// Until the transaction ends, no other process migrates these tables.
void LockTables(const Connection& connection, pqxx::transaction_base& transaction) {
  const Digest key = DigestOf("flaky: schema of " + connection.schema() + "." + connection.prefix());
  Execute(transaction, "SELECT pg_advisory_xact_lock($1::bigint)", {BinaryNumber(static_cast<int64_t>(key.low))});
}

// Begins a transaction that makes or changes tables. Triggers don't fire in it, so it needs no other search path.
void BeginUpgrade(const Connection& connection, pqxx::transaction_base& transaction) {
  // Overrides the role's default, because this transaction must see what other processes did before it got the lock.
  transaction.exec("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
  connection.Settle(transaction);
  transaction.exec("SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL standard_conforming_strings = on");
  LockTables(connection, transaction);
}

// Throws if the tables can't be made in the schema to which the search path leads.
void CheckSchema(const Connection& connection) {
  const std::string& schema = connection.schema();
  if (schema.empty()) {
    connection.Fail(ErrorKind::kMissing, "create the tables",
                    "no schema of the search path exists; create one (CREATE SCHEMA) or set another search path "
                    "(ALTER ROLE … SET search_path)");
  }
  if (schema.find("$$") != schema.npos) {
    connection.Fail(ErrorKind::kInvalid, "create the tables",
                    "the name of the schema contains '$$'; choose another one (ALTER ROLE … SET search_path)");
  }
}

// Applies a migration with few requests: statements that don't depend on a table's columns are sent together.
void Apply(const Connection& connection, pqxx::transaction_base& transaction, const Migration& migration) {
  std::string statements;               // still to be sent
  std::optional<TableColumns> present;  // after the statements so far; nullopt: must be read
  const auto send = [&] {
    if (!statements.empty()) transaction.exec(std::exchange(statements, {}));
  };
  const std::string sql = InScope(migration.sql, connection.Scope());
  for (const SqlStep& step : StepsOf({migration.version, migration.name, sql}, connection.prefix())) {
    if (step.when != SqlStep::When::kAlways) {
      if (!present) {
        send();
        present = ReadColumns(connection, transaction);
      }
      const bool is_there = (*present)[step.table].contains(step.column);
      if (is_there != (step.when == SqlStep::When::kIfPresent)) continue;
    }
    statements += step.sql + ";\n";
    present.reset();
  }
  send();
  Execute(transaction,
          "INSERT INTO " + connection.Table(kLedger) +
              " (version, name, checksum, applied_at) VALUES ($1::bigint, $2::text, $3::text, $4::timestamptz)",
          {BinaryNumber(migration.version), std::string(migration.name), Checksum(migration),
           BinaryTime(Timestamp::Now())});
}

void ApplyOnce(const Connection& connection, pqxx::connection& session, const Migration& migration) {
  pqxx::work transaction(session);
  BeginUpgrade(connection, transaction);
  const std::vector<AppliedMigration> applied = ReadLedger(connection, transaction);
  CheckWritable(StateOf(PostgresMigrations(), applied, connection.name()), connection.name());
  if (std::any_of(applied.begin(), applied.end(),
                  [&](const AppliedMigration& row) { return row.version == migration.version; })) {
    return;
  }
  Apply(connection, transaction, migration);
  transaction.exec(ClosingBlock(connection.prefix(), connection.Scope()));
  transaction.commit();
}

}  // namespace

TableColumns ReadOurTables(const Connection& connection, pqxx::connection& session) {
  return connection.Once(session,
                         [&](pqxx::transaction_base& transaction) { return ReadOurTables(connection, transaction); });
}

SchemaState ReadSchemaState(const Connection& connection, pqxx::connection& session, std::string* encoding) {
  std::vector<AppliedMigration> applied;
  std::string found_encoding;
  try {
    const pqxx::result rows = connection.Once(
        session, [&](pqxx::transaction_base& transaction) { return Execute(transaction, LedgerSql(connection)); });
    applied = RowsOf(connection, rows);
    if (!rows.empty()) found_encoding = TextAt(rows[0], 3);
  } catch (const pqxx::sql_error& error) {
    const std::string state = SqlStateOf(error);
    if (state != kUndefinedTable && state != kUndefinedColumn) throw;
    // There is no ledger, or it has another form, or another process has just created it.
    applied = connection.Once(session,
                              [&](pqxx::transaction_base& transaction) { return ReadLedger(connection, transaction); });
  }
  if (encoding != nullptr && found_encoding.empty()) {
    found_encoding = connection.Once(session, [](pqxx::transaction_base& transaction) {
      return TextAt(Execute(transaction, "SELECT pg_catalog.current_setting('server_encoding')")[0], 0);
    });
  }
  if (encoding != nullptr) *encoding = std::move(found_encoding);
  return StateOf(PostgresMigrations(), applied, connection.name());
}

void UpgradeSchema(const Connection& connection, pqxx::connection& session, DeferredIndexes after_rows) {
  CheckSchema(connection);
  for (const Migration& migration : MigrationsUntil(PostgresMigrations(), after_rows)) {
    try {
      ApplyOnce(connection, session, migration);
    } catch (const pqxx::sql_error& error) {
      const Fault fault = FaultOf(error);
      if (fault.sql_state != kInsufficientPrivilege) throw;
      throw StoreError(ErrorKind::kAuth, connection.name(), "upgrade the tables", fault.sql_state,
                       fault.message + "; the role '" + session.username() +
                           "' may not create or change tables there. Grant it that right, or let another role run the "
                           "SQL that `flaky schema sql --store postgres` prints");
    }
  }
}

void CloseTables(const Connection& connection, pqxx::connection& session) {
  CheckSchema(connection);
  pqxx::work transaction(session);
  BeginUpgrade(connection, transaction);
  transaction.exec(ClosingBlock(connection.prefix(), connection.Scope()));
  transaction.commit();
}

}  // namespace flaky::postgres
