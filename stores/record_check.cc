// SPDX-License-Identifier: MIT
#include "stores/record_check.h"

#include <algorithm>
#include <stdexcept>

#include "history/fields.h"
#include "history/roster.h"
#include "history/text.h"
#include "stores/error.h"

namespace flaky {
namespace {

// For an id that may be too large itself.
constexpr size_t kShownBytes = 200;

// Adds up the sizes of a row's texts and records the longest.
struct RowSize {
  size_t bytes = 0;
  size_t longest = 0;
  std::string_view longest_column;

  void operator()(std::string_view column, const std::string& value) {
    bytes += value.size();
    if (value.size() < longest) return;
    longest = value.size();
    longest_column = column;
  }
  void operator()(std::string_view column, const std::optional<std::string>& value) {
    if (value) (*this)(column, *value);
  }
  template <typename T>
  void operator()(std::string_view, const T&) {}
};

}  // namespace

size_t CheckRowSizes(const RunRecord& record, size_t row_bytes, const std::string& store) {
  size_t all = 0;
  const auto check = [&](std::string_view table, const RowSize& row) {
    if (table != "rosters") all += row.bytes;
    if (row.bytes <= row_bytes) return;
    throw StoreError(ErrorKind::kInvalid, store, "write run '" + CutTo(record.run.run_id, kShownBytes) + "'", "",
                     "a row of " + std::string(table) + " has " + std::to_string(row.bytes) +
                         " bytes of text, most of them in " + std::string(row.longest_column) +
                         ", and the store takes " + std::to_string(row_bytes));
  };
  RowSize size;
  VisitRun(record.run, size);
  check("runs", size);
  for (const Part& part : record.parts) {
    size = {record.run.run_id.size(), 0, {}};
    VisitPart(part, size);
    check("parts", size);
  }
  for (const Failure& failure : record.failures) {
    size = {record.run.run_id.size(), 0, {}};
    VisitFailure(failure, size);
    check("failures", size);
  }
  for (const RosterPtr& roster : record.rosters) {
    size = {roster->roster_id.size(), 0, {}};
    size("tests", roster->tests);
    check("rosters", size);
  }
  return all;
}

void RecordCheck::Check(const RunRecord& record) {
  const auto refuse = [&](const std::string& detail) {
    throw StoreError(ErrorKind::kInvalid, store_, "write run '" + record.run.run_id + "'", "", detail);
  };
  for (const RosterPtr& roster : record.rosters) {
    const auto [entry, is_new] = lists_.try_emplace(roster.get());
    if (is_new && ContentId(roster->tests) != roster->roster_id) {
      refuse("the content of its roster '" + roster->roster_id + "' does not match that id");
    }
    if (is_new && IsRosterText(roster->tests)) {
      try {
        entry->second = ListsOf(roster->tests);
      } catch (const std::invalid_argument& error) {
        refuse("its roster '" + roster->roster_id + "' is " + error.what());
      }
    }
    for (const std::string& list : entry->second) {
      if (FindRoster(record.rosters, list) != nullptr) continue;
      refuse("its roster '" + roster->roster_id + "' names the list '" + list + "', which the record lacks");
    }
  }
  for (const Part& part : record.parts) {
    if (part.roster_id && FindRoster(record.rosters, *part.roster_id) == nullptr) {
      refuse("its part '" + part.part_id + "' names the roster '" + *part.roster_id + "', which the record lacks");
    }
  }
}

}  // namespace flaky
