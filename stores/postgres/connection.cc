// SPDX-License-Identifier: MIT
#include "stores/postgres/connection.h"

#include "history/text.h"
#include "stores/postgres/conninfo.h"
#include "stores/postgres/errors.h"

namespace flaky::postgres {
namespace {

// Of an error that row_security = off turns a filtered read into.
constexpr std::string_view kFiltered = "affected by row-level security";

constexpr char kIsStandby[] =
    "this server is a standby, which only reads: name the primary, or all servers with target_session_attrs=read-write";
constexpr char kOnlyReads[] =
    "this session only reads: see default_transaction_read_only of the server, the database, the role and the "
    "connection string";

std::string AdviceFor(const Fault& fault, const std::string& role) {
  if (fault.sql_state != kInsufficientPrivilege || fault.message.find(kFiltered) == std::string::npos) return "";
  return "; it hides rows from the role '" + role +
         "', so this would not be the whole history. Connect as the tables' owner or as a role with BYPASSRLS";
}

}  // namespace

std::string QuotedName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

Connection::Connection(const Location& location)
    : name_(location.display_name), prefix_(location.prefix), settings_(ConnectionSettings(location)) {
  if (location.address.empty()) {
    settings_note_ = " (no connection string is set, so the PG* variables and libpq's defaults decide)";
  }
}

pqxx::connection& Connection::Session() {
  if (session_) return *session_;
  try {
    session_ = std::make_unique<pqxx::connection>(settings_);
    Tame(*session_);
    Prepare();
  } catch (const std::bad_alloc&) {
    session_.reset();
    throw;
  } catch (const std::exception& error) {
    session_.reset();
    const Fault fault = ConnectFaultOf(error);
    throw StoreError(fault.kind, name_, "connect", fault.sql_state, fault.message + settings_note_);
  }
  return *session_;
}

// Reads the user's search path, and applies the settings after that, in one round trip. A pooler tells its clients
// another process id than the server does. The query itself runs with the user's search path, so that each name in it
// has its schema.
void Connection::Prepare() {
  pqxx::nontransaction transaction(*session_);
  const std::string pooled =
      "pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) (" + std::to_string(session_->backendpid()) + ")";
  const pqxx::result rows =
      transaction.exec("SELECT s.name, " + pooled + ", " + SettingsSql(transaction, pooled) +
                       ", pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') FROM "
                       "(SELECT 1) AS one LEFT JOIN pg_catalog.unnest(pg_catalog.current_schemas(false)) AS s "
                       "(name) ON true");
  pooled_ = rows[0][1].c_str() == std::string_view("t");
  // The columns of SettingsSql come before these.
  is_standby_ = rows[0][rows.columns() - 2].c_str() == std::string_view("t");
  only_reads_ = rows[0][rows.columns() - 1].c_str() == std::string_view("on");
  users_path_.clear();
  for (const pqxx::row& row : rows) {
    const std::string schema = row[0].is_null() ? "" : row[0].c_str();
    if (!schema.empty() && schema != "pg_catalog" && !schema.starts_with("pg_temp")) users_path_.push_back(schema);
  }
}

std::string Connection::SettingsSql(const pqxx::transaction_base& transaction, const std::string& is_local) const {
  std::string path = "pg_catalog, ";
  if (needs_.users_path) path += Join(users_path_, "", [](const std::string& each) { return QuotedName(each) + ", "; });
  path += "pg_temp";
  return "pg_catalog.set_config('search_path', " + transaction.quote(path) + ", " + is_local +
         "), pg_catalog.set_config('row_security', '" + (needs_.policies ? "on" : "off") + "', " + is_local + ")";
}

void Connection::Use(const Needs& needs, pqxx::connection& session) {
  if (needs.users_path == needs_.users_path && needs.policies == needs_.policies) return;
  needs_ = needs;
  if (pooled_) return;
  pqxx::nontransaction transaction(session);
  transaction.exec("SELECT " + SettingsSql(transaction, "false"));
}

void Connection::Settle(pqxx::transaction_base& transaction) const {
  if (pooled_) transaction.exec("SELECT " + SettingsSql(transaction, "true"));
  if (check_) check_(transaction);
}

void Connection::DropIfLost() {
  if (session_ && !session_->is_open()) session_.reset();
}

void Connection::RequireWrites(std::string_view operation) const {
  if (!only_reads_) return;
  throw StoreError(ErrorKind::kMissing, name_, std::string(operation), std::string(kReadOnlyTransaction),
                   is_standby_ ? kIsStandby : kOnlyReads);
}

void Connection::Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const {
  throw StoreError(kind, name_, std::string(operation), "", detail);
}

void Connection::Translate(const std::exception& error, std::string_view operation) const {
  Fault fault = FaultOf(error);
  if (fault.sql_state == kReadOnlyTransaction) RequireWrites(operation);
  if (!session_ && fault.kind != ErrorKind::kTransient) fault.kind = ErrorKind::kTransient;
  const std::string lost = session_ ? "" : "the connection was lost: ";
  const std::string advice = session_ ? AdviceFor(fault, session_->username()) : "";
  throw StoreError(fault.kind, name_, std::string(operation), fault.sql_state, lost + fault.message + advice);
}

}  // namespace flaky::postgres
