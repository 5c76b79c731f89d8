// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_HRANA_VALUE_H_
#define FLAKY_STORES_TURSO_HRANA_VALUE_H_

#include <cstdint>
#include <string_view>

namespace flaky::turso {

// A value in Hrana over HTTP, the protocol of libSQL servers. The text lives as long as the answer it was read from.
// (https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md)
struct HranaValue {
  enum class Type { kNull, kInteger, kFloat, kText, kBlob, kRawText };  // kRawText: not valid UTF-8
  Type type = Type::kNull;
  int64_t integer = 0;
  double real = 0;        // HUGE_VAL for any infinity, because JSON has none
  std::string_view text;  // or the bytes of a blob
};

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_HRANA_VALUE_H_
