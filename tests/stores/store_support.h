#ifndef FLAKY_TESTS_STORES_STORE_SUPPORT_H_
#define FLAKY_TESTS_STORES_STORE_SUPPORT_H_

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <vector>

#include "stores/store.h"
#include "tests/support/contents.h"

// Helpers for tests of any store.
namespace flaky {

// Returns the error that the call throws, or nullopt and fails the test if it throws none.
inline std::optional<StoreError> ErrorOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const StoreError& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return std::nullopt;
}

// A table or view of another program with the name of one of our tables without a prefix.
struct ForeignTable {
  const char* sql;
  const char* name;     // in quotes
  const char* missing;  // the first of our columns that it lacks
};
inline constexpr ForeignTable kForeignTables[] = {
    {"CREATE TABLE runs (id INTEGER PRIMARY KEY, distance REAL, started_at TEXT)", "'runs'", "run_id, ended_at"},
    {"CREATE TABLE failures (id INTEGER, what TEXT)", "'failures'", "run_id, test_file"},
    {"CREATE TABLE schema (version INTEGER)", "'schema'", "name, checksum, applied_at"},
    {"CREATE TABLE parts (part_id TEXT, price REAL)", "'parts'", "started_at"},
    {"CREATE VIEW rosters AS SELECT 'x' AS roster_id", "'rosters'", "tests"},
};

// Returns the later record of a run that had not ended.
inline RunRecord EndedWithAnotherFailure(RunRecord died) {
  died.run.account.ended_at = Timestamp::Parse("2026-01-01T10:09:00Z");
  died.run.account.failed_tests = 2;
  died.run.account.status = kFail;
  died.failures.push_back(died.failures.front());
  died.failures.back().error_message = "another";
  return died;
}

// `visit` returns the failures that match a filter. Expects those after each of these times, and those after each
// failure, to be the matching ones of all failures. Returns all.
inline std::vector<FailureKey> ExpectWindows(const std::function<std::vector<FailureKey>(const FailureFilter&)>& visit,
                                             std::initializer_list<const char*> times) {
  std::vector<FailureKey> all = visit({});
  for (const char* time : times) {
    FailureFilter filter;
    filter.after = Timestamp::Parse(time);
    size_t expected = 0;
    for (const FailureKey& key : all) expected += key.failed_at > *filter.after ? 1 : 0;
    EXPECT_EQ(visit(filter).size(), expected) << time;
  }
  for (size_t i = 0; i < all.size(); ++i) {
    FailureFilter filter;
    filter.behind = all[i];
    const std::vector<FailureKey> rest = visit(filter);
    EXPECT_EQ(rest.size(), all.size() - i - 1) << i;
    for (size_t k = 0; k < rest.size() && i + 1 + k < all.size(); ++k) EXPECT_EQ(rest[k].id, all[i + 1 + k].id) << i;
  }
  return all;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_STORE_SUPPORT_H_
