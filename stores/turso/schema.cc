// SPDX-License-Identifier: MIT
#include "stores/turso/schema.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "history/time.h"
#include "stores/turso/columns.h"

namespace flaky::turso {
namespace {

constexpr std::string_view kOperation = "use the tables";
constexpr std::string_view kAdoptOperation = "import the legacy tables";
constexpr std::string_view kLedger = "schema";

// Runs per transaction. With some ten failures each, it takes a tenth of the time that the server allows.
constexpr int64_t kAdoptedAtOnce = 5000;
constexpr int64_t kAdoptedAtLeast = 2;

// How often a migration is tried while other processes change the tables.
constexpr int kMostTries = 20;

TableColumns ColumnsOf(Connection& connection, const std::vector<std::string>& tables) {
  TableColumns columns;
  for (const std::string& table : tables) columns[table];
  const HranaAnswer answer =
      connection.Read(HranaStatement("SELECT t.value, lower(c.name) FROM json_each(?) t, pragma_table_info(t.value) c")
                          .Text(JsonArray(tables))
                          .Selects(2),
                      kOperation);
  const HranaResult& rows = answer.results.front();
  for (size_t i = 0; i < rows.rows(); ++i) {
    const std::span<const HranaValue> row = rows.row(i);
    columns[std::string(connection.TextOf(row[0], kOperation))].emplace(connection.TextOf(row[1], kOperation));
  }
  return columns;
}

std::vector<AppliedMigration> ReadLedger(Connection& connection) {
  const HranaStatement query =
      HranaStatement("SELECT version, name, checksum FROM " + connection.tables()(kLedger)).Selects(3);
  HranaAnswer answer = connection.TryRead({&query, 1}, kOperation);
  if (answer.results.front().error) {
    const std::string& message = answer.results.front().error->message;
    if (message.find("no such ") == message.npos) connection.ThrowIfFailed(answer, kOperation);
    // There is no ledger, or it has another form, or another process has just created it.
    if (ReadOurTables(connection).at(connection.tables().Name(kLedger)).empty()) return {};
    answer = connection.Read(query, kOperation);
  }
  std::vector<AppliedMigration> applied;
  const HranaResult& rows = answer.results.front();
  for (size_t i = 0; i < rows.rows(); ++i) {
    RowReader fields({connection, rows.row(i)}, kLedger);
    AppliedMigration& row = applied.emplace_back();
    fields("version", row.version);
    fields("name", row.name);
    fields("checksum", row.checksum);
  }
  return applied;
}

SchemaState StateOf(Connection& connection, std::span<const AppliedMigration> applied) {
  return StateOf(SqliteMigrations(), applied, connection.name());
}

std::vector<HranaStatement> StatementsOf(Connection& connection, const Migration& migration) {
  const std::vector<SqlStep> steps = StepsOf(migration, connection.tables().prefix);
  std::vector<std::string> tables;
  for (const SqlStep& step : steps) {
    if (step.when != SqlStep::When::kAlways) tables.push_back(step.table);
  }
  const TableColumns columns = tables.empty() ? TableColumns() : ColumnsOf(connection, tables);
  std::vector<HranaStatement> statements;
  for (const SqlStep& step : steps) {
    const bool applies = step.when == SqlStep::When::kAlways ||
                         columns.at(step.table).contains(step.column) == (step.when == SqlStep::When::kIfPresent);
    if (applies) statements.emplace_back(step.sql);
  }
  statements
      .emplace_back("INSERT INTO " + connection.tables()(kLedger) +
                    " (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)")
      .Integer(migration.version)
      .Text(migration.name)
      .Text(Checksum(migration))
      .Text(Timestamp::Now().ToString());
  return statements;
}

// Another process may apply the same migration at the same time. Then a column or the ledger's row exists already, the
// transaction changes nothing, and reading the ledger again shows what remains to be done.
void Apply(Connection& connection, const Migration& migration) {
  std::optional<HranaError> failed;
  for (int tries = 0; tries < kMostTries; ++tries) {
    const std::vector<AppliedMigration> applied = ReadLedger(connection);
    CheckWritable(StateOf(connection, applied), connection.name());
    if (std::ranges::any_of(applied, [&](const AppliedMigration& row) { return row.version == migration.version; })) {
      return;
    }
    // No other process has applied it, so the failure is the migration's own.
    if (failed && !IsConstraint(*failed) && tries > 2) break;
    ReadOurTables(connection);
    HranaOutcome outcome = connection.Transact({}, StatementsOf(connection, migration), kOperation);
    if (outcome.committed) return;
    failed = std::move(outcome.error);
  }
  connection.Throw(*failed, "apply the migration " + std::string(migration.name));
}

// Returns how to import the npm packages' tables, if the database has these in addition to ours.
std::optional<NpmAdoption> FindNpmTables(Connection& connection) {
  const std::string& prefix = connection.tables().prefix;
  if (prefix == kNpmPrefix) return std::nullopt;
  const std::string runs = std::string(kNpmPrefix) + "runs";
  const std::string failures = std::string(kNpmPrefix) + "failures";
  const TableColumns columns = ColumnsOf(connection, {runs, failures});
  if (!AreNpmTables(columns.at(runs), columns.at(failures))) return std::nullopt;
  return NpmAdoptionInto(prefix, columns.at(runs));
}

std::optional<AdoptionSummary> Adopt(Connection& connection) {
  const std::optional<NpmAdoption> adoption = FindNpmTables(connection);
  if (!adoption) return std::nullopt;
  int64_t most = kAdoptedAtOnce;
  for (std::string from;;) {
    const HranaAnswer range =
        connection.ReadOne(HranaStatement(adoption->range).Text(from).Integer(most).Selects(2), kAdoptOperation);
    RowReader fields({connection, range.results.front().row(0)}, "runs");
    std::optional<std::string> last;
    int64_t runs = 0;
    fields("run_id", last);
    fields("runs", runs);
    if (!last) break;
    std::vector<HranaStatement> statements;
    for (const std::string& sql : adoption->statements)
      statements.push_back(HranaStatement(sql).Text(from).Text(*last));
    const HranaOutcome outcome = connection.Transact({}, statements, kAdoptOperation);
    if (outcome.committed) {
      if (runs < most) break;
      from = *last;
    } else if (most > kAdoptedAtLeast) {
      // Runs with very many failures may take longer than the server allows for a transaction.
      most = std::max(most / 4, kAdoptedAtLeast);
    } else {
      connection.Throw(outcome.error, kAdoptOperation);
    }
  }
  const HranaAnswer answer = connection.ReadOne(HranaStatement(adoption->account).Selects(5), kAdoptOperation);
  RowReader fields({connection, answer.results.front().row(0)}, "runs");
  AdoptionSummary summary;
  fields("runs", summary.runs);
  fields("failures", summary.failures);
  fields("conflicts", summary.conflicts);
  fields("missing", summary.missing);
  fields("left out", summary.left_out);
  return summary;
}

}  // namespace

SchemaState ReadSchemaState(Connection& connection) { return StateOf(connection, ReadLedger(connection)); }

TableColumns ReadOurTables(Connection& connection) {
  std::vector<std::string> names;
  for (const TableShape& shape : TableShapes()) names.push_back(connection.tables().Name(shape.name));
  TableColumns columns = ColumnsOf(connection, names);
  CheckTablesAreOurs(connection.name(), connection.tables().prefix, columns);
  return columns;
}

std::optional<AdoptionSummary> UpgradeSchema(Connection& connection, DeferredIndexes after_rows) {
  std::optional<AdoptionSummary> adopted;
  for (const Migration& migration : MigrationsUntil(SqliteMigrations(), after_rows)) {
    if (ComesAfterRows(migration) && !adopted) adopted = Adopt(connection);
    Apply(connection, migration);
  }
  return after_rows == DeferredIndexes::kLater ? Adopt(connection) : adopted;
}

bool IsAdopting(Connection& connection, const SchemaState& state) {
  if (state.pending.empty() || state.found == 0) return false;
  const std::optional<NpmAdoption> adoption = FindNpmTables(connection);
  return adoption &&
         connection.Read(HranaStatement(adoption->unfinished).Selects(1), kAdoptOperation).results.front().rows() > 0;
}

}  // namespace flaky::turso
