#ifndef FLAKY_STORES_POSTGRES_BINARY_H_
#define FLAKY_STORES_POSTGRES_BINARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "history/time.h"

// Values in PostgreSQL's binary format, which depends on no setting of the session and needs no escaping: what a type's
// `send` function gives and its `recv` function takes.
namespace flaky {

enum class ColumnType { kText, kNumber, kTime, kBool };

// The type's name in SQL: "timestamptz".
std::string_view SqlName(ColumnType type);

std::string BinaryNumber(int64_t value);

// The moments that a Timestamp can be.
inline constexpr Timestamp kFirstTime{-62'167'219'200 * kMicrosPerSecond};     // year 0
inline constexpr Timestamp kLastTime{253'402'300'800 * kMicrosPerSecond - 1};  // the end of year 9999

// A moment as a bound for comparisons: before or behind the years 0 to 9999 it is an infinite one, which PostgreSQL
// compares as such.
std::string BinaryTime(Timestamp time);

// The moment that `encode(timestamptz_send(…), 'hex')` gave; absent when it is infinite, outside the years 0 to 9999,
// or no such text.
std::optional<Timestamp> TimeOfHex(std::string_view hex);

// An array of one dimension, element by element.
class BinaryArray {
 public:
  explicit BinaryArray(ColumnType type);

  void AddText(std::string_view text);
  void AddNumber(int64_t number);
  void AddTime(Timestamp time);
  void AddBool(bool truth);
  void AddNull();

  size_t bytes() const { return bytes_.size(); }

  // The array's bytes. It must not be used any more.
  std::string Take();

 private:
  std::string bytes_;
  int32_t size_ = 0;
  bool has_null_ = false;
};

}  // namespace flaky

#endif  // FLAKY_STORES_POSTGRES_BINARY_H_
