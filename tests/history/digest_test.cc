// SPDX-License-Identifier: MIT
#include "history/digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "history/fields.h"

namespace flaky {
namespace {

RunRecord Example() {
  RunRecord record;
  record.run.run_id = "r1";
  record.run.account.started_at = {1'000'000};
  for (const char* id : {"p1", "p2"}) {
    Part part;
    part.part_id = id;
    record.parts.push_back(part);
    for (const char* test : {"S.A", "S.B"}) {
      Failure failure;
      failure.part_id = id;
      failure.test_file = "a.cc";
      failure.test_name = test;
      failure.failure_kind = kAssertion;
      record.failures.push_back(failure);
    }
  }
  return record;
}

// Changes a value of the type of any field.
struct Change {
  static void Value(std::string& value) { value += "x"; }
  static void Value(int64_t& value) { ++value; }
  static void Value(bool& value) { value = !value; }
  static void Value(Timestamp& value) { ++value.micros; }
  template <typename T>
  static void Value(std::optional<T>& value) {
    if (value) {
      Value(*value);
    } else {
      value.emplace();
    }
  }
};

// Calls `check` once for each field of the object, with only that field changed.
template <typename Object, typename Visit, typename Check>
void ForEachChange(Object& object, const Visit& visit, const Check& check) {
  int fields = 0;
  visit(object, [&](std::string_view, auto&) { ++fields; });
  for (int changed = 0; changed < fields; ++changed) {
    const Object before = object;
    int at = 0;
    std::string name;
    visit(object, [&](std::string_view field, auto& value) {
      if (at++ == changed) {
        Change::Value(value);
        name = field;
      }
    });
    check(name);
    object = before;
  }
}

TEST(Digest, DependsOnEveryField) {
  RunRecord record = Example();
  std::set<Digest> seen = {DigestOf(record)};
  const auto is_new = [&](const std::string& name) { EXPECT_TRUE(seen.insert(DigestOf(record)).second) << name; };
  ForEachChange(
      record.run, [](auto& run, auto&& visit) { VisitRun(run, visit); }, is_new);
  ForEachChange(
      record.parts[1], [](auto& part, auto&& visit) { VisitPart(part, visit); }, is_new);
  ForEachChange(
      record.failures[3], [](auto& failure, auto&& visit) { VisitFailure(failure, visit); }, is_new);
  EXPECT_GT(seen.size(), 35u);
}

TEST(Digest, DoesNotDependOnOrder) {
  RunRecord record = Example();
  const Digest digest = DigestOf(record);
  std::reverse(record.parts.begin(), record.parts.end());
  std::reverse(record.failures.begin(), record.failures.end());
  EXPECT_EQ(DigestOf(record), digest);
}

TEST(Digest, DistinguishesAbsentFromEmptyAndOnceFromTwice) {
  RunRecord record = Example();
  const Digest digest = DigestOf(record);
  record.failures[0].error_message = "";
  EXPECT_NE(DigestOf(record), digest);
  record = Example();
  record.failures.push_back(record.failures[0]);
  EXPECT_NE(DigestOf(record), digest);
}

TEST(Digest, DependsOnWhereAFieldEnds) {
  RunRecord a = Example(), b = Example();
  a.failures[0].test_file = "ab";
  a.failures[0].test_name = "c";
  b.failures[0].test_file = "a";
  b.failures[0].test_name = "bc";
  EXPECT_NE(DigestOf(a), DigestOf(b));
}

// Digests may be stored and compared by another version of the program, so their values must not change.
TEST(Digest, HasAFixedValue) { EXPECT_EQ(DigestOf(Example()).ToString(), "1c63f5fd6a6181e813075c23128cabe8"); }

TEST(Digest, AddsUpModulo128Bits) {
  Digest sum{0, ~0ull};
  sum += {0, 1};
  EXPECT_EQ(sum, (Digest{1, 0}));
  sum += {~0ull, 5};
  EXPECT_EQ(sum, (Digest{0, 5}));
  EXPECT_EQ(sum.ToString(), "00000000000000000000000000000005");
}

}  // namespace
}  // namespace flaky
