// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_HRANA_ERROR_H_
#define FLAKY_STORES_TURSO_HRANA_ERROR_H_

#include <exception>
#include <string>

namespace flaky::turso {

// What a libSQL server says about a statement that failed.
struct HranaError {
  std::string message;
  std::string code;
};

// Thrown for an answer that isn't in this protocol.
struct MalformedAnswer : std::exception {
  const char* what() const noexcept override { return "the answer is not that of a libSQL server"; }
};

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_HRANA_ERROR_H_
