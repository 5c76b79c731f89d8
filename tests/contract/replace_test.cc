#include <gmock/gmock.h>

#include "tests/contract/contract.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RunRecord Known() {
  return BuildRecord("run").Part("p1", 0, 1).Fail("S.A", "one").Part("p2", 5, 1).Fail("S.B", "two").Build();
}

// The same run in another history: one part is changed, one is absent, one is new.
RunRecord Other() {
  RunRecord other =
      BuildRecord("run").Part("p1", 0, 1).Fail("S.A", "ONE").Part("p3", 9, 1).Fail("S.C", "three").Build();
  other.run.branch = "main";
  return other;
}

std::vector<WriteResult::Outcome> OutcomesOf(const std::vector<WriteResult>& results) {
  std::vector<WriteResult::Outcome> outcomes;
  for (const WriteResult& result : results) outcomes.push_back(result.outcome);
  return outcomes;
}

TEST_P(StoreContract, AReplacedRunIsWhatTheNewRecordSays) {
  const RunRecord untouched = BuildRecord("untouched").Part("p1", 3, 1).Fail("S.A", "one").Build();
  store().Write(std::vector{Known(), untouched});
  EXPECT_EQ(WriteOne(Other()).outcome, Outcome::kConflict);

  const RunRecord fresh = BuildRecord("fresh").Part("p9", 7).Build();
  EXPECT_THAT(OutcomesOf(store().Write(std::vector{fresh, Other()}, OnExisting::kReplace)),
              ElementsAre(Outcome::kInserted, Outcome::kReplaced));
  EXPECT_TRUE(SameRecord(FetchOne("run"), Other()));
  EXPECT_TRUE(SameRecord(FetchOne("untouched"), untouched));
  EXPECT_TRUE(SameRecord(FetchOne("fresh"), fresh));
  EXPECT_EQ(store().Count({}), (Totals{3, 4, 3}));
  EXPECT_EQ(WriteOne(Other()).outcome, Outcome::kUnchanged) << "equal to the stored one";
}

TEST_P(StoreContract, ReplacingIsIdempotentAndAlsoRemoves) {
  store().Write(std::vector{Known()});
  const RunRecord less = BuildRecord("run").StartedAt(At(77)).Build();  // no part, no failure
  EXPECT_THAT(OutcomesOf(store().Write({&less, 1}, OnExisting::kReplace)), ElementsAre(Outcome::kReplaced));
  EXPECT_THAT(OutcomesOf(store().Write({&less, 1}, OnExisting::kReplace)), ElementsAre(Outcome::kUnchanged));
  EXPECT_TRUE(SameRecord(FetchOne("run"), less));
  EXPECT_EQ(store().Count({}), (Totals{1, 0, 0}));
  const auto pages = ReadAll(store());
  ASSERT_EQ(pages.size(), 1u);
  EXPECT_EQ(pages[0].run.account.started_at, At(77)) << "it is ordered by its new time";
  EXPECT_THAT(store().Write({}, OnExisting::kReplace), IsEmpty());
}

}  // namespace
}  // namespace flaky
