// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_BINARY_H_
#define FLAKY_STORES_POSTGRES_BINARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "history/time.h"

// Values in PostgreSQL's binary format: what a type's `send` function returns and its `recv` function takes. This
// format doesn't depend on the session's settings and needs no escaping.
namespace flaky::postgres {

enum class ColumnType { kText, kNumber, kTime, kBool };

// The type's name in SQL: "timestamptz".
std::string_view SqlName(ColumnType type);

std::string BinaryNumber(int64_t value);

// Returns a time as a bound for comparisons. A time before the year 0 or after the year 9999 becomes an infinite one,
// which PostgreSQL compares as such.
std::string BinaryTime(Timestamp time);

// Returns the time of an `encode(timestamptz_send(…), 'hex')`, or nullopt if it is infinite, outside the
// years 0 to 9999, or another text.
std::optional<Timestamp> TimeOfHex(std::string_view hex);

// Builds an array of one dimension, element by element.
class BinaryArray {
 public:
  explicit BinaryArray(ColumnType type);

  void AddText(std::string_view text);
  void AddNumber(int64_t number);
  void AddTime(Timestamp time);
  void AddBool(bool value);
  void AddNull();

  size_t bytes() const { return bytes_.size(); }

  // Returns the array's bytes. The object must not be used afterwards.
  std::string Take();

 private:
  std::string bytes_;
  int32_t size_ = 0;
  bool has_null_ = false;
};

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_BINARY_H_
