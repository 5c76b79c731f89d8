#ifndef FLAKY_STORES_HEALTH_H_
#define FLAKY_STORES_HEALTH_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "history/time.h"
#include "stores/store.h"

// What can be found out about a store without changing it: for `flaky doctor`. Not a verb of Store, because most of it
// is asked when a history cannot be opened.
namespace flaky {

struct StoreHealth {
  std::string server;                          // "PostgreSQL 15.6, as `ci`"; empty: not known
  std::chrono::microseconds connected_in{0};   // until the first answer; 0 for a file
  std::chrono::microseconds round_trip{0};     // of one more question
  std::optional<std::string> encryption = {};  // "TLSv1.3"; empty: none; absent: does not matter here, or not known
  std::optional<int64_t> clock_ahead_us = {};  // the store's clock against this machine's, give or take a round trip

  bool has_tables = false;                 // some of ours are there
  std::optional<SchemaState> schema = {};  // absent: there are none, or it may not be read
  std::vector<std::string> missing = {};   // tables that the schema's version says are there and are not
  bool may_make_tables = true;             // where some are missing, or a migration is to come, it makes them itself
  std::vector<std::string> lacks = {};     // what this user may not do and recording needs: "INSERT on flaky_test_runs"
  std::vector<std::string> other_prefixes = {};  // of tables like ours that are there as well
  std::optional<Timestamp> newest_run = {};      // when it started; absent: there is none, or it may not be read
};

// Takes the prefixes of histories that are none with `prefix` into other_prefixes. `tables`: all names of tables.
void FindOtherPrefixes(StoreHealth& health, std::span<const std::string> tables, std::string_view prefix);

// Takes the time of `question`, which gives the store's clock, into round_trip and clock_ahead_us.
void AskForTime(StoreHealth& health, const std::function<std::optional<Timestamp>()>& question);

}  // namespace flaky

#endif  // FLAKY_STORES_HEALTH_H_
