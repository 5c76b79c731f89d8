// SPDX-License-Identifier: MIT
#include "stores/postgres/health.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "history/text.h"
#include "stores/postgres/access.h"
#include "stores/postgres/columns.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/schema.h"
#include "stores/sql/additions.h"
#include "stores/sql/other_prefixes.h"

namespace flaky::postgres {
namespace {

// A longer wait for a lock is reported as an error.
constexpr char kPatience[] = "SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '4s'";

std::string TextAt(const pqxx::row& row, int column) {
  const pqxx::field field = row[column];
  return field.is_null() ? std::string() : std::string(field.c_str(), static_cast<size_t>(field.size()));
}

bool IsTrue(const pqxx::row& row, int column) { return TextAt(row, column) == "t"; }

// Returns a time of the server, independent of its setting for dates.
std::optional<Timestamp> TimeOf(pqxx::transaction_base& transaction, const std::string& what, const std::string& from) {
  return Timestamp::Parse(TextAt(
      Execute(transaction, "SELECT to_char(" + what + " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')" + from)[0],
      0));
}

void AskServer(StoreHealth& health, pqxx::transaction_base& transaction) {
  // On the same machine or through a Unix socket, connections are safe without encryption.
  const pqxx::row row =
      Execute(transaction,
              "SELECT current_setting('server_version'), current_user, "
              "  CASE WHEN pg_is_in_recovery() THEN 'the server is a standby, which only reads' "
              "  WHEN current_setting('default_transaction_read_only')::boolean "
              "  THEN 'the server or this role is read-only' END, "
              "  (SELECT CASE WHEN ssl THEN version END FROM pg_stat_ssl WHERE pid = pg_backend_pid()), "
              "  coalesce(inet_client_addr() <<= '127.0.0.0/8' OR inet_client_addr() = inet_server_addr(), true)")[0];
  const std::string version = TextAt(row, 0);
  health.server = "PostgreSQL " + version.substr(0, version.find(' ')) + ", as `" + TextAt(row, 1) + "`";
  if (!row[2].is_null()) health.lacks.push_back("any write: " + TextAt(row, 2));
  const bool local = IsTrue(row, 4);
  if (!row[3].is_null() || !local) health.encryption = TextAt(row, 3);
  AskForTime(health, [&] { return TimeOf(transaction, "clock_timestamp()", ""); });
}

constexpr const char* kRights[] = {"SELECT", "INSERT", "UPDATE", "DELETE"};

// Returns true if recording needs this right. docs/stores/postgres.md has the rights as GRANTs.
bool IsNeeded(std::string_view right, std::string_view table) { return table != "schema" || right == kRights[0]; }

// Returns which rights this role has to a table, in the order of kRights, or nothing if there is no such table.
std::vector<bool> RightsTo(const std::string& table, pqxx::transaction_base& transaction) {
  std::string sql = "SELECT to_regclass($1::text)";
  for (const char* right : kRights) {
    sql += std::string(", has_table_privilege(to_regclass($1::text), '") + right + "')";
  }
  const pqxx::row row = Execute(transaction, sql, {table})[0];
  std::vector<bool> rights;
  if (row[0].is_null()) return rights;
  for (int i = 1; i <= static_cast<int>(std::size(kRights)); ++i) rights.push_back(IsTrue(row, i));
  return rights;
}

// Returns the sequence that numbers a table's rows if this role may not use it, else an empty text.
std::string UnusableSequenceOf(const std::string& table, pqxx::transaction_base& transaction) {
  const pqxx::row ids = Execute(transaction,
                                "SELECT pg_get_serial_sequence($1::text, 'id'), "
                                "has_sequence_privilege(pg_get_serial_sequence($1::text, 'id'), 'USAGE')",
                                {table})[0];
  return ids[0].is_null() || IsTrue(ids, 1) ? "" : TextAt(ids, 0);
}

void AskForOtherPrefixes(StoreHealth& health, const Connection& connection, pqxx::transaction_base& transaction) {
  std::vector<std::string> names;
  for (const pqxx::row& row :
       Execute(transaction, "SELECT tablename FROM pg_tables WHERE schemaname = $1::text", {connection.schema()})) {
    names.push_back(TextAt(row, 0));
  }
  FindOtherPrefixes(health, names, connection.prefix());
  // The schema may hold the tables of other programs, too.
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(connection.prefix()); });
  TableColumns columns;
  for (const TableShape& shape : TableShapes()) {
    ColumnSet& present = columns[connection.Name(shape.name)];
    for (const pqxx::row& row : Execute(transaction,
                                        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1::text) AND "
                                        "attnum > 0 AND NOT attisdropped",
                                        {connection.Table(shape.name)})) {
      present.insert(TextAt(row, 0));
    }
  }
  health.additions = AdditionsTo(connection.prefix(), columns, names, health.other_prefixes);
}

// Returns true if this role sees every row of a table.
bool SeesAll(const Access& access, const std::string& name) {
  return std::ranges::all_of(access.tables,
                             [&](const TableAccess& table) { return table.name != name || table.whole; });
}

void AskForTables(StoreHealth& health, const Connection& connection, const Access& access,
                  pqxx::transaction_base& transaction) {
  bool may_read_runs = false;
  for (const TableShape& shape : TableShapes()) {
    const std::string name = connection.prefix() + std::string(shape.name);
    const std::string table = connection.Table(shape.name);
    const std::vector<bool> rights = RightsTo(table, transaction);
    if (rights.empty()) {
      health.missing.push_back(name);
      continue;
    }
    health.has_tables = true;
    std::vector<std::string_view> lacking;
    for (size_t i = 0; i < rights.size(); ++i) {
      if (!rights[i] && IsNeeded(kRights[i], shape.name)) lacking.push_back(kRights[i]);
    }
    if (!lacking.empty()) health.lacks.push_back(Join(lacking, ", ") + " on " + name);
    // Reads the ledger under these time limits, so that reading it later doesn't wait for a lock.
    const bool may_read = rights.front() && SeesAll(access, name);
    if (shape.name == "schema" && may_read) Execute(transaction, "SELECT 1 FROM " + table + " LIMIT 1");
    if (shape.name == "runs") may_read_runs = may_read;
    if (shape.name != "failures") continue;
    if (const std::string ids = UnusableSequenceOf(table, transaction); !ids.empty()) {
      health.lacks.push_back("USAGE on " + ids);
    }
  }
  if (!health.has_tables) health.missing.clear();
  // Creating a table needs the right to create tables in the schema; changing one needs its owner.
  health.may_make_tables =
      !connection.schema().empty() &&
      IsTrue(Execute(transaction,
                     "SELECT has_schema_privilege($2::text, 'CREATE') AND coalesce((SELECT pg_has_role(relowner, "
                     "'USAGE') FROM pg_class WHERE oid = to_regclass($1::text)), true)",
                     {connection.Table("runs"), connection.schema()})[0],
             0);
  if (!may_read_runs) return;
  health.newest_run = TimeOf(transaction, "max(started_at)", " FROM " + connection.Table("runs"));
}

// Describes what other roles may do to the tables, and what they hide from this one.
class AccessReport {
 public:
  AccessReport(StoreHealth& health, const Connection& connection, const Access& access)
      : health_(health), connection_(connection), access_(access) {}

  void Add(pqxx::transaction_base& transaction) {
    AddRefusals();
    AddPublicRoles();
    for (const TableAccess& table : access_.tables) {
      if (access_.public_roles.empty() && !table.public_rights.empty()) {
        Warn("every role of the server may do this with '" + table.name + "': " + table.public_rights,
             "REVOKE ALL ON " + Sql(table) + " FROM PUBLIC, unless this is intended");
      }
    }
    for (const std::string& routine : ForeignRoutines(connection_, access_, transaction)) {
      Warn(routine + " is in the schema of the tables and has a name of the server's own or of ours",
           "drop it unless you know it: programs that do not guard against it, such as psql, run it in place of the "
           "server's");
    }
  }

 private:
  using Weight = AccessFinding::Weight;

  std::string Sql(const TableAccess& table) const { return connection_.Scope() + QuotedName(table.name); }
  void Warn(const std::string& found, const std::string& advice) {
    health_.access.push_back({Weight::kWarning, found, advice});
  }

  // What the store refuses to read or to write.
  void AddRefusals() {
    for (const TableAccess& table : access_.tables) {
      const std::string name = "'" + table.name + "'";
      if (!table.trusted) {
        health_.access.push_back(
            {Weight::kProblem,
             name + " belongs to the role '" + table.owner + "', whose code could run with the rights of '" +
                 access_.role + "'; nothing is written to it",
             "if that role is to be trusted, run ALTER TABLE " + Sql(table) + " OWNER TO …; else drop the table"});
      }
      if (!table.foreign_triggers.empty()) {
        health_.access.push_back({Weight::kProblem,
                                  name + " has a trigger that runs code of another role: " + table.foreign_triggers +
                                      "; nothing is written to it",
                                  "drop the trigger, or give its function to a role that you trust"});
      }
      if (!table.whole) {
        health_.access.push_back({Weight::kProblem,
                                  "row-level security hides rows of " + name + " from the role '" + access_.role + "'",
                                  "connect as the table's owner '" + table.owner +
                                      "' or as a role with BYPASSRLS, or let the owner create a policy for this role "
                                      "(docs/stores/postgres.md)"});
      } else if (!table.changeable && !IsLedger(connection_, table)) {
        Warn("row-level security keeps the role '" + access_.role + "' from changing every row of " + name,
             "this is enough for reading; for recording, let the owner create a policy for all commands");
      }
    }
  }

  void AddPublicRoles() {
    if (access_.public_roles.empty() || access_.tables.empty()) return;
    const std::string open = OpenTablesPhrase(access_);
    if (IsOpen(access_)) {
      const bool mine = std::ranges::all_of(access_.tables, &TableAccess::mine);
      health_.access.push_back(
          {open.empty() ? Weight::kWarning : Weight::kProblem,
           open.empty() ? "row-level security is off; it keeps the tables closed to " + access_.public_roles +
                              " if these are granted rights later"
                        : open,
           mine ? "run `flaky schema migrate`, which closes the tables, as the next delivery does"
                : "let the owner run `flaky schema migrate`, or the SQL that `flaky schema sql --store postgres` "
                  "prints"});
    } else if (!open.empty()) {
      Warn(open,
           "they have these rights through another role, or were granted them by another role than the owner: "
           "revoke them there");
    } else {
      health_.access.push_back({Weight::kFine, "the tables are closed to " + access_.public_roles, ""});
    }
  }

  StoreHealth& health_;
  const Connection& connection_;
  const Access& access_;
};

}  // namespace

StoreHealth Examine(const Location& location) {
  StoreHealth health;
  Connection connection(location);
  Access access;
  const auto begin = std::chrono::steady_clock::now();
  connection.Guard("examine the tables", [&](pqxx::connection& session) {
    health.connected_in =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    {
      SnapshotTransaction transaction(session);
      connection.Settle(transaction);
      transaction.exec(kPatience);
      access = ReadAccess(connection, transaction);
      connection.set_schema(access.schema);
      if (NeedsOf(access).policies) transaction.exec("SET LOCAL row_security = on");
      AskServer(health, transaction);
      AskForOtherPrefixes(health, connection, transaction);
      AskForTables(health, connection, access, transaction);
      AccessReport(health, connection, access).Add(transaction);
    }
    if (!health.has_tables || !SeesAll(access, connection.Name("schema"))) return;
    connection.Use(NeedsOf(access), session);
    try {
      health.schema = ReadSchemaState(connection, session);
    } catch (const pqxx::insufficient_privilege&) {
      return;  // health.lacks says so
    }
    if (!health.schema->pending.empty()) health.missing.clear();
  });
  return health;
}

}  // namespace flaky::postgres
