#include "stores/postgres/schema.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "history/digest.h"
#include "stores/postgres/binary.h"
#include "stores/postgres/columns.h"
#include "stores/postgres/errors.h"

namespace flaky {
namespace {

constexpr std::string_view kLedger = "schema";

std::string TextAt(const pqxx::row& row, int column) {
  const pqxx::field field = row[column];
  return {field.c_str(), static_cast<size_t>(field.size())};
}

std::vector<AppliedMigration> RowsOf(const PostgresConnection& connection, const pqxx::result& rows) {
  std::vector<AppliedMigration> applied;
  for (const pqxx::row& row : rows) {
    AppliedMigration& migration = applied.emplace_back();
    PostgresFieldReader fields(connection, row, "schema");
    fields("version", migration.version);
    fields("name", migration.name);
    fields("checksum", migration.checksum);
  }
  return applied;
}

std::string LedgerSql(const PostgresConnection& connection) {
  return "SELECT version, name, checksum, current_setting('server_encoding') FROM " + connection.Table(kLedger);
}

PresentColumns ReadColumns(const PostgresConnection& connection, pqxx::transaction_base& transaction) {
  std::vector<TypedColumn> columns = {{"name", ColumnType::kText}, {"quoted", ColumnType::kText}};
  RowArrays tables(columns);
  for (const TableShape& shape : TableShapes()) {
    tables("name", std::string(shape.name));
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
  PresentColumns present;
  for (const pqxx::row& row : rows) present[TextAt(row, 0)].insert(TextAt(row, 1));
  return present;
}

std::vector<AppliedMigration> ReadLedger(const PostgresConnection& connection, pqxx::transaction_base& transaction) {
  const PresentColumns present = ReadColumns(connection, transaction);
  CheckTablesAreOurs(connection, present);
  if (!present.contains(kLedger)) return {};
  return RowsOf(connection, Execute(transaction, LedgerSql(connection)));
}

// The schema in which the tables are, or will be: where some of them are already, a new one of the same name in another
// schema, earlier in the search path, would hide them.
std::string SchemaOfTables(const PostgresConnection& connection, pqxx::transaction_base& transaction) {
  const pqxx::result rows =
      Execute(transaction,
              "SELECT coalesce((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
              "WHERE c.oid = coalesce(to_regclass($1::text), to_regclass($2::text))), current_schema())",
              {connection.Table("runs"), connection.Table(kLedger)});
  if (rows[0][0].is_null()) {
    connection.Fail(ErrorKind::kMissing, "create the tables",
                    "no schema of the search path exists: create one (CREATE SCHEMA), or set another search path "
                    "(ALTER ROLE … SET search_path)");
  }
  return TextAt(rows[0], 0);
}

// Until the transaction ends, nobody else migrates these tables, and names mean those in this schema.
void LockTables(const PostgresConnection& connection, pqxx::transaction_base& transaction) {
  const std::string schema = SchemaOfTables(connection, transaction);
  const Digest key = DigestOf("flaky: schema of " + schema + "." + connection.prefix());
  Execute(transaction,
          "SELECT set_config('search_path', quote_ident($1::text), true), pg_advisory_xact_lock($2::bigint)",
          {schema, BinaryNumber(static_cast<int64_t>(key.low))});
}

// In few requests: what needs no look at the tables goes together.
void Apply(const PostgresConnection& connection, pqxx::transaction_base& transaction, const Migration& migration) {
  std::string statements;                 // that are to be sent
  std::optional<PresentColumns> present;  // as the statements so far leave them; absent: to be read
  const auto send = [&] {
    if (!statements.empty()) transaction.exec(std::exchange(statements, {}));
  };
  for (const SqlStep& step : StepsOf(migration, connection.prefix())) {
    if (step.when != SqlStep::When::kAlways) {
      if (!present) {
        send();
        present = ReadColumns(connection, transaction);
      }
      const std::string_view table = std::string_view(step.table).substr(connection.prefix().size());
      const auto found = present->find(table);
      const bool is_there = found != present->end() && found->second.contains(step.column);
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

void ApplyOnce(const PostgresConnection& connection, pqxx::connection& session, const Migration& migration) {
  pqxx::work transaction(session);
  // Whatever the role's default is: what others did until the lock was had must be seen.
  transaction.exec("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
  LockTables(connection, transaction);
  const std::vector<AppliedMigration> applied = ReadLedger(connection, transaction);
  CheckWritable(StateOf(PostgresMigrations(), applied, connection.name()), connection.name());
  if (std::any_of(applied.begin(), applied.end(),
                  [&](const AppliedMigration& row) { return row.version == migration.version; })) {
    return;
  }
  Apply(connection, transaction, migration);
  transaction.commit();
}

}  // namespace

PresentColumns ColumnsInPostgres(const PostgresConnection& connection, pqxx::connection& session) {
  pqxx::nontransaction transaction(session);
  return ReadColumns(connection, transaction);
}

PostgresSchema ReadPostgresSchema(const PostgresConnection& connection, pqxx::connection& session) {
  std::vector<AppliedMigration> applied;
  std::string encoding;
  try {
    pqxx::nontransaction transaction(session);
    const pqxx::result rows = Execute(transaction, LedgerSql(connection));
    applied = RowsOf(connection, rows);
    if (!rows.empty()) encoding = TextAt(rows[0], 3);
  } catch (const pqxx::sql_error& error) {
    const std::string state = SqlStateOf(error);
    if (state != kUndefinedTable && state != kUndefinedColumn) throw;
    // There is no ledger, or one of another form, or another process has made it just now.
    pqxx::nontransaction transaction(session);
    applied = ReadLedger(connection, transaction);
  }
  if (encoding.empty()) {
    pqxx::nontransaction transaction(session);
    encoding = TextAt(Execute(transaction, "SELECT current_setting('server_encoding')")[0], 0);
  }
  return {StateOf(PostgresMigrations(), applied, connection.name()), std::move(encoding)};
}

void CheckTablesAreOurs(const PostgresConnection& connection, const PresentColumns& present) {
  CheckTablesAreOurs(connection.name(), connection.prefix(), [&](const std::string& table) {
    const auto found = present.find(std::string_view(table).substr(connection.prefix().size()));
    return found == present.end() ? ColumnSet() : found->second;
  });
}

void UpgradePostgresSchema(const PostgresConnection& connection, pqxx::connection& session,
                           DeferredIndexes after_rows) {
  for (const Migration& migration : MigrationsUntil(PostgresMigrations(), after_rows)) {
    try {
      ApplyOnce(connection, session, migration);
    } catch (const pqxx::sql_error& error) {
      const PostgresFault fault = FaultOf(error);
      if (fault.sql_state != kInsufficientPrivilege) throw;
      throw StoreError(ErrorKind::kAuth, connection.name(), "bring the tables up to date", fault.sql_state,
                       fault.message + "; the role '" + session.username() +
                           "' may not make or change tables there. Give it that right, or have somebody who has it "
                           "run the SQL that 'flaky schema sql --store postgres' prints");
    }
  }
}

}  // namespace flaky
