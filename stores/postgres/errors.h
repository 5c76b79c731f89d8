#ifndef FLAKY_STORES_POSTGRES_ERRORS_H_
#define FLAKY_STORES_POSTGRES_ERRORS_H_

#include <exception>
#include <string>
#include <string_view>

#include "stores/error.h"

// What went wrong, from the server's and libpq's point of view into ours.
namespace flaky::postgres {

inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kUndefinedColumn = "42703";

struct Fault {
  ErrorKind kind = ErrorKind::kPermanent;
  std::string sql_state;  // empty where there is none: libpq's own errors, and the server's when it refuses to connect
  std::string message;    // one line, without control characters
};

// Of an exception of libpqxx, or of anything else that is derived from std::exception.
Fault FaultOf(const std::exception& error);

// Of the exception with which connecting failed: there is nothing but libpq's text to go by.
Fault ConnectFaultOf(const std::exception& error);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_ERRORS_H_
