// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_HEALTH_H_
#define FLAKY_STORES_HEALTH_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "history/time.h"
#include "stores/store.h"

// What can be found out about a store without changing it, for `flaky doctor`. It is not a verb of Store, because most
// of it is needed when a history cannot be opened.
namespace flaky {

// Which other users can reach the tables, and what is hidden from this one.
struct AccessFinding {
  enum class Weight { kFine, kWarning, kProblem };
  Weight weight = Weight::kFine;
  std::string found;   // one sentence, without its full stop
  std::string advice;  // what to do; empty if there is no problem
};

struct StoreHealth {
  std::string server;                          // "PostgreSQL 15.6, as `ci`"; empty if unknown
  std::chrono::microseconds connected_in{0};   // until the first answer; 0 for a file
  std::chrono::microseconds round_trip{0};     // of one more query
  std::optional<std::string> encryption = {};  // "TLSv1.3"; empty: none; absent: irrelevant here, or unknown
  std::optional<int64_t> clock_ahead_us = {};  // the store's clock minus this machine's, within a round trip

  bool has_tables = false;                 // some of our tables exist
  std::optional<SchemaState> schema = {};  // absent: not there, or this user may not read it
  std::vector<std::string> missing = {};   // tables that the schema version implies but that do not exist
  bool may_make_tables = true;             // this user can make missing tables and apply pending migrations
  std::vector<std::string> lacks = {};  // rights that recording needs and this user lacks: "INSERT on flaky_test_runs"
  std::vector<std::string> other_prefixes = {};  // of other histories in the same place
  std::vector<std::string> additions = {};       // of the user, which copies do not have: "the column runs.team"
  std::vector<AccessFinding> access = {};        // empty: the store does not know, or there is nothing to report
  std::optional<Timestamp> newest_run = {};      // when it started; absent: no run, or it cannot be read
};

// Times `question`, which returns the store's clock if it has one, and sets round_trip and clock_ahead_us.
void AskForTime(StoreHealth& health, const std::function<std::optional<Timestamp>()>& question);

}  // namespace flaky

#endif  // FLAKY_STORES_HEALTH_H_
