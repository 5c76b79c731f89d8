// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_QUERY_H_
#define FLAKY_STORES_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "history/failure_view.h"
#include "history/run.h"
#include "stores/conversion.h"

// What a store (stores/store.h) can be asked for, and pages of its answers.
namespace flaky {

// Which runs. An absent field matches all.
struct RunFilter {
  std::optional<std::optional<std::string>> project;  // outer: any project; inner: the runs without one
  std::optional<Timestamp> since;                     // started_at >= since
  std::optional<Timestamp> until;                     // started_at < until
};

// A position between two runs in the order (started_at, run_id).
struct RunKey {
  Timestamp started_at;
  std::string run_id;
};

enum class Direction { kOldestFirst, kNewestFirst };
enum class Detail { kFull, kRunsOnly };  // kRunsOnly: without parts, failures and rosters

struct PageRequest {
  RunFilter filter;
  std::optional<RunKey> after;  // absent: from the beginning
  Direction direction = Direction::kOldestFirst;
  Detail detail = Detail::kFull;
  size_t max_records = 256;
  size_t max_bytes = 4 << 20;  // of text, roughly; a page has at least one record, however large
};

struct Page {
  std::vector<RunRecord> records;
  std::vector<ConvertedRun> converted;  // those of the records in which another tool left values that no field can hold
  std::optional<RunKey> next;           // absent: this is the last page
};

struct Totals {
  int64_t runs = 0;
  int64_t parts = 0;
  int64_t failures = 0;

  bool operator==(const Totals&) const = default;
};

// A position between two failures in the order of VisitFailures.
struct FailureKey {
  Timestamp failed_at;
  int64_t id = 0;
};

struct FailureFilter {
  std::optional<std::optional<std::string>> project = std::nullopt;
  std::optional<Timestamp> after = std::nullopt;  // failed_at > after
  std::optional<std::string> test_name = std::nullopt;
  std::vector<FailureId> ids = {};                  // empty: all
  std::optional<FailureKey> behind = std::nullopt;  // only failures after this one, to resume an earlier call
  bool texts = true;  // false: error_message and error_stack, which are most of the data, are empty or absent
};

}  // namespace flaky

#endif  // FLAKY_STORES_QUERY_H_
