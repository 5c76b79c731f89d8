#include "stores/health.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "stores/open.h"
#include "stores/tables.h"

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;
using Examine = StoreHealth (*)(const Location&);

struct Examiner {
  std::string_view scheme;
  Examine examine;
};
constexpr Examiner kExaminers[] = {
#ifdef FLAKY_STORE_SQLITE
    {"sqlite", ExamineSqlite},
#endif
#ifdef FLAKY_STORE_POSTGRES
    {"postgres", ExaminePostgres},
#endif
#ifdef FLAKY_STORE_TURSO
    {"turso", ExamineTurso},
#endif
#ifdef FLAKY_STORE_SUPABASE
    {"supabase", ExamineSupabase},
#endif
    {{}, nullptr},
};

std::chrono::microseconds Since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
}

// Whoever makes tables by other means is free in their names.
bool MayBePrefix(std::string_view prefix) {
  try {
    CheckPrefix(prefix, "");
  } catch (const StoreError&) {
    return false;
  }
  return true;
}

}  // namespace

StoreHealth ExamineStore(const Location& location) {
  const Clock::time_point begin = Clock::now();
  for (const Examiner& examiner : kExaminers) {
    if (examiner.examine == nullptr || examiner.scheme != location.scheme) continue;
    StoreHealth health = examiner.examine(location);
    if (health.connected_in.count() == 0) health.connected_in = Since(begin);
    return health;
  }
  // One that this build does not have: opening it says so.
  StoreHealth health;
  health.schema = OpenStore(location, OpenMode::kRead)->schema();
  health.has_tables = true;
  return health;
}

void FindOtherPrefixes(StoreHealth& health, std::span<const std::string> tables, std::string_view prefix) {
  constexpr std::string_view kLedger = "schema";
  const std::set<std::string_view> names(tables.begin(), tables.end());
  for (const std::string_view name : names) {
    if (!name.ends_with(kLedger)) continue;
    const std::string other(name.substr(0, name.size() - kLedger.size()));
    const bool whole = std::ranges::all_of(
        TableShapes(), [&](const TableShape& shape) { return names.contains(other + std::string(shape.name)); });
    if (whole && other != prefix && MayBePrefix(other)) health.other_prefixes.push_back(other);
  }
}

void AskForTime(StoreHealth& health, const std::function<std::optional<Timestamp>()>& question) {
  const Timestamp before = Timestamp::Now();
  const Clock::time_point begin = Clock::now();
  const std::optional<Timestamp> theirs = question();
  health.round_trip = Since(begin);
  // The answer was given some time between the two: half-way is at most half of it wrong.
  if (theirs) health.clock_ahead_us = theirs->micros - (before.micros + health.round_trip.count() / 2);
}

}  // namespace flaky
