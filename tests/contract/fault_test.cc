#include <gmock/gmock.h>

#include "stores/fault_store.h"
#include "tests/contract/contract.h"
#include "tests/support/record_builder.h"

// Every store in the fault wrapper: what a caller that repeats a failed call can rely on.
namespace flaky {
namespace {

using testing::ElementsAre;

std::vector<RunRecord> Batch() {
  return {BuildRecord("a").Part("p", 0, 1).Fail("S.T").Build(), BuildRecord("b").Part("p", 1).Build(),
          BuildRecord("c").StartedAt(At(2)).Ended(At(3)).Build()};
}

ErrorKind KindOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const StoreError& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kPermanent;
}

TEST_P(StoreContract, AWriteThatFailedBeforehandLeftNothing) {
  FaultStore faulty(Open(OpenMode::kWrite));
  faulty.Inject({StoreVerb::kWrite, Fault::When::kBefore, ErrorKind::kTransient});
  EXPECT_EQ(KindOf([&] { faulty.Write(Batch()); }), ErrorKind::kTransient);
  EXPECT_EQ(store().Count({}), Totals());
  EXPECT_EQ(faulty.Write(Batch()).size(), 3u) << "the object can still be used";
  EXPECT_EQ(store().Count({}), (Totals{3, 2, 1}));
}

TEST_P(StoreContract, AWriteWhoseAnswerWasLostCanBeRepeated) {
  FaultStore faulty(Open(OpenMode::kWrite));
  faulty.Inject({StoreVerb::kWrite, Fault::When::kAfter, ErrorKind::kTransient});
  EXPECT_EQ(KindOf([&] { faulty.Write(Batch()); }), ErrorKind::kTransient);
  EXPECT_EQ(store().Count({}), (Totals{3, 2, 1})) << "it took effect";
  for (const WriteResult& result : faulty.Write(Batch())) EXPECT_EQ(result.outcome, Outcome::kUnchanged);
  EXPECT_EQ(store().Count({}), (Totals{3, 2, 1}));
}

TEST_P(StoreContract, FaultsHitTheIntendedCalls) {
  store().Write(Batch());
  FaultStore faulty(Open(OpenMode::kWrite));
  faulty.Inject({StoreVerb::kRead, Fault::When::kBefore, ErrorKind::kAuth, 2, 2});
  EXPECT_EQ(faulty.Read({}).records.size(), 3u);
  EXPECT_EQ(KindOf([&] { faulty.Read({}); }), ErrorKind::kAuth);
  EXPECT_EQ(faulty.Count({}).runs, 3) << "another verb";
  EXPECT_EQ(KindOf([&] { faulty.Read({}); }), ErrorKind::kAuth);
  EXPECT_EQ(faulty.Read({}).records.size(), 3u);
  EXPECT_EQ(faulty.Calls(StoreVerb::kRead), 4);
  EXPECT_EQ(faulty.Calls(StoreVerb::kWrite), 0);
}

TEST_P(StoreContract, OneInvalidRecordFailsTheWholeWrite) {
  std::vector<RunRecord> batch = Batch();
  batch[1].rosters.front() = std::make_shared<const Roster>(Roster{batch[1].rosters.front()->roster_id, "{}"});
  EXPECT_EQ(KindOf([&] { store().Write(batch); }), ErrorKind::kInvalid);
  EXPECT_EQ(store().Count({}), Totals());
  store().Write(Batch());
  EXPECT_THAT(RunIdsOf(ReadAll(store())), ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace flaky
