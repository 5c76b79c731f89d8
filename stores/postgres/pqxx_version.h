// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_PQXX_VERSION_H_
#define FLAKY_STORES_POSTGRES_PQXX_VERSION_H_

#include <exception>
#include <pqxx/pqxx>
#include <string>
#include <utility>
#include <vector>

// Everything that differs between the versions of libpqxx, 6.4 to 7.10.
namespace flaky::postgres {

// The values of a statement's parameters $1, $2, … in PostgreSQL's binary format (stores/postgres/binary.h).
using BinaryValues = std::vector<std::string>;

#if PQXX_VERSION_MAJOR < 7
using SnapshotTransaction = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;
#else
using SnapshotTransaction = pqxx::transaction<pqxx::isolation_level::repeatable_read, pqxx::write_policy::read_only>;
#endif

// Runs one statement as libpq's unnamed statement, so that the server keeps nothing of it. Needs one round trip.
inline pqxx::result Execute(pqxx::transaction_base& transaction, const std::string& sql, BinaryValues values = {}) {
#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 6)
  pqxx::params parameters;
  parameters.reserve(values.size());
  for (const std::string& value : values) parameters.append(pqxx::binary_cast(value));
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
  return transaction.exec(sql, parameters);
#else
  return transaction.exec_params(sql, parameters);
#endif
#else
  std::vector<pqxx::binarystring> parameters;
  parameters.reserve(values.size());
  for (std::string& value : values) {
    parameters.emplace_back(value.data(), value.size());
    std::string().swap(value);  // it has been copied, and may be large
  }
  return transaction.exec_params(sql, pqxx::prepare::make_dynamic_params(parameters));
#endif
}

// Keeps the server's notices off stderr, and stops the library from reconnecting by itself.
inline void Tame([[maybe_unused]] pqxx::connection& connection) {
#if PQXX_VERSION_MAJOR < 7
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
#elif PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
  connection.set_notice_handler([](pqxx::zview) {});
#endif
}

// Returns the SQLSTATE of an error, or an empty text if it has none. Some versions of libpqxx throw a class for the
// error but drop the code.
inline std::string SqlStateOf(const std::exception& error) {
  if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error); sql != nullptr && !sql->sqlstate().empty()) {
    return sql->sqlstate();
  }
  const auto is = [&]<typename Error>(const Error*) { return dynamic_cast<const Error*>(&error) != nullptr; };
  struct Code {
    bool fits;
    const char* sql_state;
  };
  // Derived classes before their bases.
  const Code codes[] = {
      {is(static_cast<pqxx::insufficient_privilege*>(nullptr)), "42501"},
      {is(static_cast<pqxx::undefined_table*>(nullptr)), "42P01"},
      {is(static_cast<pqxx::undefined_column*>(nullptr)), "42703"},
      {is(static_cast<pqxx::undefined_function*>(nullptr)), "42883"},
      {is(static_cast<pqxx::syntax_error*>(nullptr)), "42601"},
      {is(static_cast<pqxx::not_null_violation*>(nullptr)), "23502"},
      {is(static_cast<pqxx::foreign_key_violation*>(nullptr)), "23503"},
      {is(static_cast<pqxx::unique_violation*>(nullptr)), "23505"},
      {is(static_cast<pqxx::check_violation*>(nullptr)), "23514"},
      {is(static_cast<pqxx::integrity_constraint_violation*>(nullptr)), "23000"},
      {is(static_cast<pqxx::data_exception*>(nullptr)), "22000"},
      {is(static_cast<pqxx::feature_not_supported*>(nullptr)), "0A000"},
      {is(static_cast<pqxx::disk_full*>(nullptr)), "53100"},
      {is(static_cast<pqxx::out_of_memory*>(nullptr)), "53200"},
      {is(static_cast<pqxx::insufficient_resources*>(nullptr)), "53000"},
      {is(static_cast<pqxx::too_many_connections*>(nullptr)), "53300"},
      {is(static_cast<pqxx::serialization_failure*>(nullptr)), "40001"},
      {is(static_cast<pqxx::statement_completion_unknown*>(nullptr)), "40003"},
      {is(static_cast<pqxx::deadlock_detected*>(nullptr)), "40P01"},
      {is(static_cast<pqxx::transaction_rollback*>(nullptr)), "40000"},
  };
  for (const Code& code : codes) {
    if (code.fits) return code.sql_state;
  }
  return {};
}

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_PQXX_VERSION_H_
