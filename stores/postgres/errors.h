// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_ERRORS_H_
#define FLAKY_STORES_POSTGRES_ERRORS_H_

#include <exception>
#include <string>
#include <string_view>

#include "stores/error.h"

// Translates errors of the server and of libpq into ours.
namespace flaky::postgres {

inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kReadOnlyTransaction = "25006";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kUndefinedColumn = "42703";

struct Fault {
  ErrorKind kind = ErrorKind::kPermanent;
  std::string sql_state;  // empty for libpq's own errors, and if the server refuses to connect
  std::string message;    // one line, without control characters
};

// Returns the fault of an exception of libpqxx, or of any other that is derived from std::exception.
Fault FaultOf(const std::exception& error);

// Returns the fault of an exception with which connecting failed. Its kind can only be derived from libpq's text.
Fault ConnectFaultOf(const std::exception& error);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_ERRORS_H_
