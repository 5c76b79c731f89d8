// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_RESTRICTION_H_
#define FLAKY_STORES_POSTGRES_RESTRICTION_H_

#include <string>
#include <vector>

#include "stores/postgres/binary.h"
#include "stores/postgres/pqxx_version.h"
#include "stores/query.h"

namespace flaky::postgres {

// Of statements that may compare with a time that can't be read.
inline constexpr char kInfinity[] = "'infinity'::timestamptz";
inline constexpr char kMinusInfinity[] = "'-infinity'::timestamptz";

// Conditions joined by AND, and the statement's parameters.
class Restriction {
 public:
  std::string Bind(std::string value, ColumnType type);
  std::string BindTime(Timestamp time) { return Bind(BinaryTime(time), ColumnType::kTime); }

  void Add(const std::string& condition) { conditions_.push_back(condition); }
  // For the runs as `r`.
  void AddRuns(const RunFilter& filter);

  // Returns the condition for a column of texts.
  std::string Is(const std::string& column, const std::optional<std::string>& value);
  // Returns the condition that a time can't be read.
  std::string HasNoTime(const std::string& time);

  // " WHERE …", or nothing; with further conditions in front.
  std::string sql(const std::vector<std::string>& first = {}) const;
  const BinaryValues& values() const { return values_; }

 private:
  std::vector<std::string> conditions_;
  BinaryValues values_;
};

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_RESTRICTION_H_
