// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_CONNECTION_H_
#define FLAKY_STORES_POSTGRES_CONNECTION_H_

#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stores/error.h"
#include "stores/location.h"
#include "stores/postgres/pqxx_version.h"

namespace flaky::postgres {

// Returns the name as SQL, in double quotes.
std::string QuotedName(std::string_view name);

// One connection to one PostgreSQL database, and the edge at which libpqxx' errors become StoreErrors. A lost
// connection is made again at the next call.
//
// Other roles may have functions, operators and tables in the schemas of the user's search path, and row-level security
// may hide rows. So every statement runs with two settings. `search_path` is `pg_catalog, pg_temp`, so that names mean
// what the server itself defines; tables are named with their schema. `row_security` is off, so that a query fails
// instead of returning only some of the rows. A pooler may give each transaction another session. Therefore the
// settings belong to the transaction there (Settle, Once), and to the session without one.
class Connection {
 public:
  // How the settings differ from the ones above.
  struct Needs {
    bool users_path = false;  // triggers of the tables may name objects in the schemas of the user's search path
    bool policies = false;    // policies apply to this role, and were found to admit every row
  };

  // Does not connect yet.
  explicit Connection(const Location& location);

  const std::string& name() const { return name_; }
  const std::string& prefix() const { return prefix_; }

  // The schemas of the user's search path in which this role may use tables, in order. Known after connecting.
  const std::vector<std::string>& users_path() const { return users_path_; }

  // Whether the server is a standby, so that it only reads and may lack the newest rows. Known after connecting.
  bool is_standby() const { return is_standby_; }
  // Throws StoreError (kMissing) if this session can only read, on a standby or by a setting. Precondition: connected.
  void RequireWrites(std::string_view operation) const;

  // The schema of the tables; empty if it is not known or does not exist.
  const std::string& schema() const { return schema_; }
  void set_schema(std::string schema) { schema_ = std::move(schema); }
  // Changes the settings of the session and of later ones. Precondition: no transaction is open.
  void Use(const Needs& needs, pqxx::connection& session);
  // From now on, calls `check` in each transaction before it reads.
  void CheckEach(std::function<void(pqxx::transaction_base&)> check) { check_ = std::move(check); }

  // The table's name with the prefix.
  std::string Name(std::string_view table) const { return prefix_ + std::string(table); }
  // What SQL has in front of a quoted table name: `"public".`
  std::string Scope() const { return schema_.empty() ? "" : QuotedName(schema_) + "."; }
  // The table's name for SQL, with its schema.
  std::string Table(std::string_view table) const { return Scope() + '"' + Name(table) + '"'; }

  // Does `work` with the connection, and turns what libpqxx throws into a StoreError. `operation` names the failed
  // operation in the error: "write runs".
  template <typename Work>
  auto Guard(std::string_view operation, Work&& work) {
    try {
      return std::forward<Work>(work)(Session());
    } catch (const StoreError&) {
      DropIfLost();
      throw;
    } catch (const std::bad_alloc&) {
      DropIfLost();
      throw;
    } catch (const std::exception& error) {
      DropIfLost();
      Translate(error, operation);
    }
  }

  // Applies the settings to a transaction. Must be called at its beginning.
  void Settle(pqxx::transaction_base& transaction) const;

  // Calls `work`, which runs statements outside of a transaction and returns a value, or in one if the settings need
  // it.
  template <typename Work>
  auto Once(pqxx::connection& session, Work&& work) const {
    if (!pooled_ && !check_) {
      pqxx::nontransaction transaction(session);
      return std::forward<Work>(work)(transaction);
    }
    pqxx::work transaction(session);
    Settle(transaction);
    auto answer = std::forward<Work>(work)(transaction);
    transaction.commit();
    return answer;
  }

  [[noreturn]] void Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const;

 private:
  pqxx::connection& Session();
  void Prepare();
  std::string SettingsSql(const pqxx::transaction_base& transaction, const std::string& is_local) const;
  void DropIfLost();
  [[noreturn]] void Translate(const std::exception& error, std::string_view operation) const;

  std::string name_;
  std::string prefix_;
  std::string settings_;       // with the password, if there is one
  std::string settings_note_;  // added to the error if connecting fails
  std::string schema_;
  std::vector<std::string> users_path_;
  Needs needs_;
  std::function<void(pqxx::transaction_base&)> check_;
  bool pooled_ = false;
  bool is_standby_ = false;
  bool only_reads_ = false;
  std::unique_ptr<pqxx::connection> session_;
};

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_CONNECTION_H_
