// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_CONNECTION_H_
#define FLAKY_STORES_POSTGRES_CONNECTION_H_

#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "stores/error.h"
#include "stores/location.h"
#include "stores/postgres/pqxx_version.h"

namespace flaky::postgres {

// One connection to one PostgreSQL database, and the edge at which libpqxx' errors become StoreErrors. A lost
// connection is made again at the next call. Nothing is kept in the session, so a pooler may change it between
// transactions.
class Connection {
 public:
  // Does not connect yet.
  explicit Connection(const Location& location);

  const std::string& name() const { return name_; }
  const std::string& prefix() const { return prefix_; }

  // The table's name with the prefix.
  std::string Name(std::string_view table) const { return prefix_ + std::string(table); }
  // The same, quoted for SQL.
  std::string Table(std::string_view table) const { return '"' + Name(table) + '"'; }

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

  [[noreturn]] void Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const;

 private:
  pqxx::connection& Session();
  void DropIfLost();
  [[noreturn]] void Translate(const std::exception& error, std::string_view operation) const;

  std::string name_;
  std::string prefix_;
  std::string settings_;       // with the password, if there is one
  std::string settings_note_;  // added to the error if connecting fails
  std::unique_ptr<pqxx::connection> session_;
};

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_CONNECTION_H_
