#ifndef FLAKY_STORES_QUERY_H_
#define FLAKY_STORES_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "history/run.h"
#include "stores/conversion.h"

// What can be asked of a store (stores/store.h), and pages of what it answers.
namespace flaky {

// Which runs. Absent means all.
struct RunFilter {
  std::optional<std::optional<std::string>> project;  // outer: any project; inner: the runs without one
  std::optional<Timestamp> since;                     // started_at >= since
  std::optional<Timestamp> until;                     // started_at < until
};

// A place between two runs in the order (started_at, run_id).
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
  size_t max_bytes = 4 << 20;  // of text, about; a page holds at least one record whatever its size
};

struct Page {
  std::vector<RunRecord> records;
  std::vector<ConvertedRun>
      misread;                 // of these records, those with values that another tool left and no field can hold
  std::optional<RunKey> next;  // absent: there is nothing behind this page
};

struct Totals {
  int64_t runs = 0;
  int64_t parts = 0;
  int64_t failures = 0;

  bool operator==(const Totals&) const = default;
};

// A place between two failures in the order in which the store shows them.
struct FailureKey {
  Timestamp failed_at;
  int64_t id = 0;
};

struct FailureFilter {
  std::optional<std::optional<std::string>> project = std::nullopt;
  std::optional<Timestamp> after = std::nullopt;  // failed_at > after
  std::optional<std::string> test_name = std::nullopt;
  std::vector<int64_t> ids = {};                    // these; none: all
  std::optional<FailureKey> behind = std::nullopt;  // to go on where an earlier call ended
  bool texts = true;  // false: error_message and error_stack, most of what there is to send, are empty or absent
};

}  // namespace flaky

#endif  // FLAKY_STORES_QUERY_H_
