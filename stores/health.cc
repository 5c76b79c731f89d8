#include "stores/health.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "stores/location.h"
#include "stores/sql/tables.h"

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;

// Tables that flaky did not make may have any name.
bool MayBePrefix(std::string_view prefix) {
  try {
    CheckPrefix(prefix, "");
  } catch (const StoreError&) {
    return false;
  }
  return true;
}

}  // namespace

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
  health.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  // The store read its clock at some time in between. Half-way is wrong by at most half a round trip.
  if (theirs) health.clock_ahead_us = theirs->micros - (before.micros + health.round_trip.count() / 2);
}

}  // namespace flaky
