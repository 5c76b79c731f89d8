// SPDX-License-Identifier: MIT
#include "stores/turso/health.h"

#include "stores/sql/additions.h"
#include "stores/sql/other_prefixes.h"
#include "stores/sql/sqlite_dialect.h"
#include "stores/turso/connection.h"
#include "stores/turso/schema.h"

namespace flaky::turso {
namespace {

constexpr std::string_view kOperation = "examine the tables";

// Tries to write without changing anything: it deletes no row, or its transaction fails.
void TryToWrite(Connection& connection, bool has_runs) {
  std::vector<HranaStatement> statements;
  if (has_runs) {
    statements.emplace_back("DELETE FROM " + connection.tables()("runs") + " WHERE 0");
  } else {
    statements.emplace_back("CREATE TABLE " + connection.tables()("examined") + " (id)");
    statements.emplace_back("SELECT 1 FROM " + connection.tables()("never_there"));
  }
  const HranaOutcome outcome = connection.Transact({}, statements, "write");
  if (!outcome.committed) connection.Throw(outcome.error, "write");
}

}  // namespace

StoreHealth Examine(const Location& location) {
  Connection connection(location, http::kBriefOptions);
  StoreHealth health;
  const Address address = ParseAddress(location);
  if (!address.loopback) health.encryption = address.base.starts_with("https") ? "TLS" : "";

  const auto begin = std::chrono::steady_clock::now();
  const HranaAnswer version = connection.ReadOne(HranaStatement("SELECT sqlite_version()").Selects(1), kOperation);
  health.server = "libSQL, SQLite " + std::string(connection.TextOf(version.results.front().row(0)[0], kOperation));
  health.connected_in = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  AskForTime(health, [&] {
    const HranaAnswer now =
        connection.ReadOne(HranaStatement("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')").Selects(1), kOperation);
    return Timestamp::Parse(connection.TextOf(now.results.front().row(0)[0], kOperation));
  });

  const HranaAnswer named =
      connection.Read(HranaStatement("SELECT name FROM sqlite_master WHERE type = 'table'").Selects(1), kOperation);
  std::vector<std::string> names;
  for (size_t i = 0; i < named.results.front().rows(); ++i) {
    names.emplace_back(connection.TextOf(named.results.front().row(i)[0], kOperation));
  }
  FindOtherPrefixes(health, names, location.prefix);
  const TableColumns tables = ReadOurTables(connection);
  health.additions = AdditionsTo(location.prefix, tables, names, health.other_prefixes);
  for (const auto& [table, columns] : tables) {
    if (columns.empty()) {
      health.missing.push_back(table);
    } else {
      health.has_tables = true;
    }
  }
  const bool has_runs = !tables.at(connection.tables().Name("runs")).empty();
  if (health.has_tables) health.schema = ReadSchemaState(connection);
  // Tables that a pending migration will create aren't missing.
  if (!health.schema || !health.schema->pending.empty()) health.missing.clear();
  if (has_runs) {
    const HranaAnswer newest = connection.Read(HranaStatement(NewestRun(connection.tables())).Selects(1), kOperation);
    const HranaResult& rows = newest.results.front();
    if (rows.rows() > 0) health.newest_run = Timestamp::Parse(rows.row(0)[0].text);
  }
  try {
    TryToWrite(connection, has_runs);
  } catch (const StoreError& error) {
    if (error.kind() == ErrorKind::kInvalid && !has_runs) return health;
    if (error.kind() != ErrorKind::kAuth && error.kind() != ErrorKind::kPermanent) throw;
    health.may_make_tables = false;
    health.lacks.push_back("any write: " + std::string(error.what()));
  }
  return health;
}

}  // namespace flaky::turso
