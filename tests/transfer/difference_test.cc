// SPDX-License-Identifier: MIT
#include "transfer/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Difference, ComparesRostersByTheirContent) {
  const RunRecord record = BuildRecord("a").Part("p1", 0).Build();
  EXPECT_TRUE(FingerprintOf(record).intact);
  EXPECT_EQ(FingerprintOf(record).digest, DigestOf(record));
  EXPECT_EQ(FirstDifference(record, record), "");

  RunRecord damaged = record;
  Roster roster = *record.rosters[0];
  roster.tests[3] ^= 1;
  damaged.rosters = {std::make_shared<const Roster>(roster)};
  EXPECT_FALSE(FingerprintOf(damaged).intact);
  EXPECT_NE(FingerprintOf(damaged).digest, DigestOf(record));
  EXPECT_THAT(FirstDifference(record, damaged), HasSubstr("roster " + roster.roster_id + ": tests is "));

  RunRecord missing = record;
  missing.rosters.clear();
  EXPECT_FALSE(FingerprintOf(missing).intact);
  EXPECT_NE(FingerprintOf(missing).digest, FingerprintOf(damaged).digest);
  EXPECT_THAT(FirstDifference(record, missing), HasSubstr("it is not in the target"));
  EXPECT_THAT(FirstDifference(missing, record), HasSubstr("it is not in the source"));
}

TEST(Difference, NamesAFailureThatIsThereOnceMore) {
  const RunRecord twice = BuildRecord("a").Fail("S.A").Fail("S.A").Fail("S.B").Build();
  const RunRecord once = BuildRecord("a").Fail("S.B").Fail("S.A").Build();
  EXPECT_THAT(FirstDifference(twice, once), AllOf(HasSubstr("the failure of S.A"), HasSubstr("is not in the target")));
  EXPECT_THAT(FirstDifference(once, twice), AllOf(HasSubstr("the failure of S.A"), HasSubstr("is not in the source")));
}

TEST(Difference, AbsentDiffersFromEmpty) {
  RunRecord absent = BuildRecord("a").Build();
  RunRecord empty = absent;
  empty.run.branch = "";
  EXPECT_EQ(FirstDifference(absent, empty), "branch is absent in the source and `` in the target");
  empty.run.branch = std::string(5000, 'x');
  EXPECT_EQ(FirstDifference(absent, empty), "branch is absent in the source and has 5000 bytes in the target");
  EXPECT_EQ(FirstDifference(empty, absent), "branch is absent in the target and has 5000 bytes in the source");
}

}  // namespace
}  // namespace flaky
