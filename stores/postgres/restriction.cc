// SPDX-License-Identifier: MIT
#include "stores/postgres/restriction.h"

#include <algorithm>
#include <utility>

#include "history/text.h"
#include "stores/sql/bad_value.h"

namespace flaky::postgres {

std::string Restriction::Bind(std::string value, ColumnType type) {
  values_.push_back(std::move(value));
  return "$" + std::to_string(values_.size()) + "::" + std::string(SqlName(type));
}

std::string Restriction::Is(const std::string& column, const std::optional<std::string>& value) {
  return value ? column + " = " + Bind(*value, ColumnType::kText) : column + " IS NULL";
}

void Restriction::AddRuns(const RunFilter& filter) {
  if (filter.project) Add(Is("r.project", *filter.project));
  if (!filter.since && !filter.until) return;
  const Timestamp first = std::max(filter.since.value_or(Timestamp::kMin), Timestamp::kMin);
  const Timestamp end =
      filter.until ? std::clamp(*filter.until, Timestamp::kMin, Timestamp::kMax + 1) : Timestamp::kMax + 1;
  const std::string window = "r.started_at BETWEEN " + BindTime(first) + " AND " + BindTime(end - 1);
  const bool holds_no_time = first <= kNoTime && kNoTime < end;
  Add(holds_no_time ? "(" + window + " OR " + HasNoTime("r.started_at") + ")" : window);
}

std::string Restriction::HasNoTime(const std::string& time) {
  return "(" + time + " BETWEEN " + BindTime(Timestamp::kMin) + " AND " + BindTime(Timestamp::kMax) + ") IS NOT TRUE";
}

std::string Restriction::sql(const std::vector<std::string>& first) const {
  std::vector<std::string> all = first;
  all.insert(all.end(), conditions_.begin(), conditions_.end());
  return all.empty() ? "" : " WHERE " + Join(all, " AND ");
}

}  // namespace flaky::postgres
