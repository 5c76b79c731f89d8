#include "stores/retry_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stores/fault_store.h"
#include "stores/memory/memory_store.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;
using Clock = std::chrono::steady_clock;

StoreError Trouble(ErrorKind kind, const std::string& code = "TEST") { return {kind, "test:", "answer", code, "no"}; }

// Count throws `troubles` one by one before it answers, and VisitFailures throws after every `shown_before_fault`
// failures.
class TroubledStore : public FaultStore {
 public:
  TroubledStore() : FaultStore(OpenMemory(MakeMemoryHistory(), OpenMode::kWrite)) {}

  Totals Count(const RunFilter& filter) override {
    if (!troubles.empty()) {
      const StoreError next = troubles.front();
      troubles.pop_front();
      throw next;
    }
    return FaultStore::Count(filter);
  }
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override {
    behinds.push_back(filter.behind ? filter.behind->id : 0);
    size_t shown = 0;
    FaultStore::VisitFailures(filter, [&](const FailureView& failure) {
      visitor(failure);
      if (++shown == shown_before_fault) throw Trouble(ErrorKind::kTransient, "CUT");
    });
  }

  std::deque<StoreError> troubles;
  size_t shown_before_fault = SIZE_MAX;
  std::vector<int64_t> behinds;  // the key of each call of VisitFailures, 0 for none
};

class RetryStoreTest : public testing::Test {
 protected:
  RetryStoreTest() {
    policy_.first_wait = milliseconds(1);
    policy_.longest_wait = milliseconds(2);
    policy_.on_retry = [this](const StoreError& error, milliseconds wait, int64_t tries) {
      codes_.push_back(error.vendor_code());
      waits_.push_back(wait);
      tries_.push_back(tries);
    };
  }

  // Wraps the store, which keeps its address.
  RetryStore Retrying() { return {std::move(owned_), policy_}; }

  static std::string CodeOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const StoreError& error) {
      return error.vendor_code();
    }
    return "no error";
  }

  static std::vector<RunRecord> Batch() {
    return {BuildRecord("a").Part("p", 0, 1).Fail("S.T").Build(), BuildRecord("b").Part("q", 1).Build()};
  }

  std::unique_ptr<TroubledStore> owned_ = std::make_unique<TroubledStore>();
  TroubledStore& store_ = *owned_;
  RetryPolicy policy_;
  std::vector<std::string> codes_;
  std::vector<milliseconds> waits_;
  std::vector<int64_t> tries_;
};

TEST_F(RetryStoreTest, WithoutTroubleEachVerbIsCalledOnce) {
  RetryStore store = Retrying();
  store.schema();
  store.Write(Batch());
  EXPECT_EQ(store.Claim("me", std::chrono::seconds(60), "").holder, "me");
  store.Finish();
  EXPECT_THAT(store.Read({}).records, SizeIs(2));
  EXPECT_THAT(store.Fetch(std::vector<std::string>{"a"}), SizeIs(1));
  EXPECT_THAT(store.FindRuns("", 9), ElementsAre("a", "b"));
  int shown = 0;
  store.VisitFailures({}, [&](const FailureView&) { ++shown; });
  EXPECT_EQ(shown, 1);
  EXPECT_EQ(store.Count({}), (Totals{2, 2, 1}));
  EXPECT_EQ(store.name(), "memory:");
  for (size_t verb = 0; verb < kStoreVerbs; ++verb) EXPECT_EQ(store_.Calls(static_cast<StoreVerb>(verb)), 1) << verb;
  EXPECT_THAT(tries_, IsEmpty());
}

TEST_F(RetryStoreTest, ARepeatedReplacementStillReplaces) {
  RetryStore store = Retrying();
  store.Write(Batch());
  store_.Inject({StoreVerb::kWrite, Fault::When::kBefore, ErrorKind::kTransient, 1, 2});
  const std::vector<RunRecord> other = {BuildRecord("a").Part("other", 5, 1).Fail("S.T").Build()};
  EXPECT_EQ(store.Write(other, OnExisting::kReplace).at(0).outcome, WriteResult::Outcome::kReplaced);
  EXPECT_THAT(tries_, SizeIs(2));
}

TEST_F(RetryStoreTest, EveryVerbIsRepeatedUntilItSucceeds) {
  for (size_t verb = 0; verb < kStoreVerbs; ++verb) {
    store_.Inject({static_cast<StoreVerb>(verb), Fault::When::kBefore, ErrorKind::kTransient, 1, 3});
  }
  RetryStore store = Retrying();
  store.schema();
  EXPECT_THAT(store.Write(Batch()), SizeIs(2));
  EXPECT_EQ(store.Claim("me", std::chrono::seconds(60), "").holder, "me");
  store.Finish();
  EXPECT_THAT(store.Read({}).records, SizeIs(2));
  EXPECT_THAT(store.Fetch(std::vector<std::string>{"a", "b"}), SizeIs(2));
  EXPECT_THAT(store.FindRuns("", 9), SizeIs(2));
  int shown = 0;
  store.VisitFailures({}, [&](const FailureView&) { ++shown; });
  EXPECT_EQ(shown, 1);
  EXPECT_EQ(store.Count({}), (Totals{2, 2, 1}));
  for (size_t verb = 0; verb < kStoreVerbs; ++verb) EXPECT_EQ(store_.Calls(static_cast<StoreVerb>(verb)), 4) << verb;
  EXPECT_THAT(tries_, SizeIs(3 * kStoreVerbs));
}

TEST_F(RetryStoreTest, OnlyTransientErrorsAreRepeated) {
  RetryStore store = Retrying();
  for (const ErrorKind kind : {ErrorKind::kAuth, ErrorKind::kMissing, ErrorKind::kConflict, ErrorKind::kSchemaTooNew,
                               ErrorKind::kInvalid, ErrorKind::kPermanent}) {
    for (size_t at = 0; at < kStoreVerbs; ++at) {
      const StoreVerb verb = static_cast<StoreVerb>(at);
      const int64_t before = store_.Calls(verb);
      store_.Inject({verb, Fault::When::kBefore, kind});
      const std::function<void()> calls[] = {[&] { store.schema(); },
                                             [&] { store.Write(Batch()); },
                                             [&] { store.Claim("me", std::chrono::seconds(1), ""); },
                                             [&] { store.Finish(); },
                                             [&] { store.Read({}); },
                                             [&] { store.Fetch({}); },
                                             [&] { store.FindRuns("", 1); },
                                             [&] { store.VisitFailures({}, [](const FailureView&) {}); },
                                             [&] { store.Count({}); }};
      EXPECT_EQ(CodeOf(calls[at]), "INJECTED") << at;
      EXPECT_EQ(store_.Calls(verb), before + 1) << at;
    }
  }
  EXPECT_THAT(tries_, IsEmpty());
}

TEST_F(RetryStoreTest, AnErrorOfAnotherKindEndsTheRepeating) {
  store_.troubles = {Trouble(ErrorKind::kTransient, "ONE"), Trouble(ErrorKind::kTransient, "TWO"),
                     Trouble(ErrorKind::kAuth, "THREE"), Trouble(ErrorKind::kTransient, "FOUR")};
  RetryStore store = Retrying();
  EXPECT_EQ(CodeOf([&] { store.Count({}); }), "THREE");
  EXPECT_THAT(codes_, ElementsAre("ONE", "TWO"));
  EXPECT_THAT(tries_, ElementsAre(1, 2));
  EXPECT_THAT(store_.troubles, SizeIs(1)) << "not asked again";
}

TEST_F(RetryStoreTest, TheWaitsGrowWithinTheirBoundsAndAreNotAllTheSame) {
  policy_.first_wait = milliseconds(4);
  policy_.longest_wait = milliseconds(10);
  RetryStore store = Retrying();
  std::vector<milliseconds> third_waits;
  for (int round = 0; round < 8; ++round) {
    waits_.clear();
    store_.troubles.assign(4, Trouble(ErrorKind::kTransient));
    const Clock::time_point begin = Clock::now();
    store.Count({});
    const auto took = Clock::now() - begin;
    ASSERT_THAT(waits_, SizeIs(4));
    EXPECT_THAT(waits_[0], AllOf(Ge(milliseconds(2)), Le(milliseconds(4))));
    EXPECT_THAT(waits_[1], AllOf(Ge(milliseconds(4)), Le(milliseconds(8))));
    EXPECT_THAT(waits_[2], AllOf(Ge(milliseconds(5)), Le(milliseconds(10))));
    EXPECT_THAT(waits_[3], AllOf(Ge(milliseconds(5)), Le(milliseconds(10))));
    EXPECT_GE(took, waits_[0] + waits_[1] + waits_[2] + waits_[3]) << "it really waits";
    third_waits.insert(third_waits.end(), {waits_[2], waits_[3]});
  }
  EXPECT_THAT(third_waits, testing::Not(Each(third_waits.front()))) << "16 draws out of six values";
}

TEST_F(RetryStoreTest, RetryAfterIsObeyed) {
  StoreError busy = Trouble(ErrorKind::kTransient, "429");
  busy.set_retry_after(milliseconds(30));
  store_.troubles = {busy};
  RetryStore store = Retrying();
  const Clock::time_point begin = Clock::now();
  store.Count({});
  EXPECT_GE(Clock::now() - begin, milliseconds(30));
  ASSERT_THAT(waits_, SizeIs(1));
  EXPECT_THAT(waits_[0], AllOf(Ge(milliseconds(31)), Le(milliseconds(32)))) << "with the jitter on top";
}

TEST_F(RetryStoreTest, ARetryAfterBeyondThePatienceIsNotWaitedFor) {
  for (const milliseconds asked : {milliseconds(15'000), milliseconds(3'600'000), milliseconds::max()}) {
    StoreError busy = Trouble(ErrorKind::kTransient, "429");
    busy.set_retry_after(asked);
    store_.troubles.push_back(busy);
  }
  RetryStore store = Retrying();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(CodeOf([&] { store.Count({}); }), "429");
  EXPECT_THAT(tries_, IsEmpty());
  EXPECT_THAT(store_.troubles, IsEmpty());
}

TEST_F(RetryStoreTest, PatienceEndsWithTheLastError) {
  policy_.patience = milliseconds(60);
  for (int i = 0; i < 1000; ++i) store_.troubles.push_back(Trouble(ErrorKind::kTransient, std::to_string(i)));
  RetryStore store = Retrying();
  const Clock::time_point begin = Clock::now();
  const std::string last = CodeOf([&] { store.Count({}); });
  EXPECT_GE(Clock::now() - begin, milliseconds(57)) << "until the next try would have been too late";
  EXPECT_GT(tries_.size(), 1u);
  EXPECT_EQ(last, std::to_string(tries_.size())) << "the error of the last try, not of the first";
  EXPECT_EQ(codes_.front(), "0");
}

TEST_F(RetryStoreTest, PatienceBeginsWithTheCall) {
  struct Slow : TroubledStore {
    Totals Count(const RunFilter& filter) override {
      std::this_thread::sleep_for(milliseconds(30));
      return TroubledStore::Count(filter);
    }
  };
  policy_.patience = milliseconds(20);
  auto slow = std::make_unique<Slow>();
  slow->troubles = {Trouble(ErrorKind::kTransient)};
  RetryStore store(std::move(slow), policy_);
  EXPECT_EQ(CodeOf([&] { store.Count({}); }), "TEST") << "the time that the store itself waits counts";
  EXPECT_THAT(tries_, IsEmpty());
}

TEST_F(RetryStoreTest, UntilBoundsAllCallsButForbidsNone) {
  policy_.until = Clock::now() - milliseconds(1);
  store_.troubles.assign(2, Trouble(ErrorKind::kTransient));
  RetryStore store = Retrying();
  EXPECT_EQ(CodeOf([&] { store.Count({}); }), "TEST");
  EXPECT_EQ(CodeOf([&] { store.Count({}); }), "TEST");
  EXPECT_EQ(store.Count({}), Totals()) << "the first try of a call is always made";
  EXPECT_THAT(tries_, IsEmpty());
}

TEST_F(RetryStoreTest, UntilEndsTheRepeatingBeforePatienceDoes) {
  policy_.until = Clock::now() + milliseconds(20);
  store_.troubles.assign(1000, Trouble(ErrorKind::kTransient));
  RetryStore store = Retrying();
  EXPECT_EQ(CodeOf([&] { store.Count({}); }), "TEST");
  EXPECT_FALSE(store_.troubles.empty());
  EXPECT_LT(Clock::now(), *policy_.until + milliseconds(5'000)) << "far from the end of patience";
}

TEST_F(RetryStoreTest, StopEndsTheWaitingSoon) {
  policy_.first_wait = policy_.longest_wait = milliseconds(10'000);
  int asked = 0;
  policy_.stop = [&] { return ++asked == 2; };
  store_.troubles.assign(2, Trouble(ErrorKind::kTransient));
  RetryStore store = Retrying();
  const Clock::time_point begin = Clock::now();
  EXPECT_EQ(CodeOf([&] { store.Count({}); }), "TEST");
  EXPECT_LT(Clock::now() - begin, milliseconds(4'000));
  EXPECT_EQ(asked, 2);
  EXPECT_THAT(store_.troubles, SizeIs(1)) << "no further try";
}

TEST_F(RetryStoreTest, EachCallHasItsOwnPatience) {
  policy_.first_wait = policy_.longest_wait = milliseconds(40);
  policy_.patience = milliseconds(200);
  RetryStore store = Retrying();
  for (int i = 0; i < 6; ++i) {
    store_.troubles.assign(2, Trouble(ErrorKind::kTransient));
    EXPECT_EQ(CodeOf([&] { store.Count({}); }), "no error");
  }
}

TEST_F(RetryStoreTest, AWriteWhoseAnswerWasLostIsThereExactlyOnce) {
  store_.Inject({StoreVerb::kWrite, Fault::When::kAfter, ErrorKind::kTransient, 1, 3});
  RetryStore store = Retrying();
  for (const WriteResult& result : store.Write(Batch())) {
    EXPECT_EQ(result.outcome, WriteResult::Outcome::kUnchanged) << "as the answered try found it";
  }
  EXPECT_EQ(store_.Calls(StoreVerb::kWrite), 4);
  EXPECT_EQ(store.Count({}), (Totals{2, 2, 1}));
}

class RetryVisitTest : public RetryStoreTest {
 protected:
  RetryVisitTest() {
    BuildRecord run("run");
    for (int i = 0; i < 10; ++i) run.Fail("S.T", "m" + std::to_string(i), i / 3);  // some at the same time
    store_.Write(std::vector{run.Build()});
  }
  static std::vector<std::string> All() { return {"m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"}; }
  std::vector<std::string> Visit(Store& store, const FailureFilter& filter = {}) {
    std::vector<std::string> seen;
    store.VisitFailures(filter, [&](const FailureView& failure) { seen.emplace_back(failure.error_message.value()); });
    return seen;
  }
};

TEST_F(RetryVisitTest, EachFailureIsVisitedOnceWhereverItWasCut) {
  RetryStore store = Retrying();
  for (size_t shown = 1; shown <= 11; ++shown) {
    store_.shown_before_fault = shown;
    store_.behinds.clear();
    EXPECT_EQ(Visit(store), All()) << "cut after every " << shown;
    EXPECT_EQ(store_.behinds.size(), 10 / shown + 1) << "cut after every " << shown;
    EXPECT_EQ(store_.behinds.front(), 0);
  }
}

TEST_F(RetryVisitTest, TheFilterStaysInForce) {
  RetryStore store = Retrying();
  store_.shown_before_fault = 1;
  FailureFilter filter;
  filter.after = At(1);
  EXPECT_THAT(Visit(store, filter), ElementsAre("m6", "m7", "m8", "m9"));
  std::vector<FailureKey> keys;
  store.VisitFailures({}, [&](const FailureView& failure) { keys.push_back({failure.failed_at, failure.id}); });
  filter.behind = keys[7];
  EXPECT_THAT(Visit(store, filter), ElementsAre("m8", "m9")) << "after the caller's own key";
}

TEST_F(RetryVisitTest, AVisitThatMakesProgressIsNotGivenUp) {
  policy_.first_wait = policy_.longest_wait = milliseconds(8);
  policy_.patience = milliseconds(20);
  RetryStore store = Retrying();
  store_.shown_before_fault = 1;
  EXPECT_EQ(Visit(store), All()) << "ten faults of at least 4 ms each";
  EXPECT_THAT(tries_, Each(1));
}

TEST_F(RetryVisitTest, WhatAVisitorThrowsIsNotRepeated) {
  RetryStore store = Retrying();
  int calls = 0;
  const auto visitor = [&](const FailureView&) {
    ++calls;
    throw Trouble(ErrorKind::kTransient, "VISITOR");
  };
  EXPECT_EQ(CodeOf([&] { store.VisitFailures({}, visitor); }), "VISITOR");
  EXPECT_THROW(store.VisitFailures({}, [](const FailureView&) { throw std::out_of_range("x"); }), std::out_of_range);
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(tries_, IsEmpty());
}

TEST_F(RetryStoreTest, OpeningIsRepeatedAndWrapped) {
  int opened = 0;
  const auto open = [&]() -> std::unique_ptr<Store> {
    if (++opened < 4) throw Trouble(ErrorKind::kTransient);
    store_.troubles = {Trouble(ErrorKind::kTransient)};
    return std::move(owned_);
  };
  const std::unique_ptr<Store> store = OpenWithRetry(open, policy_);
  EXPECT_EQ(opened, 4);
  EXPECT_THAT(tries_, ElementsAre(1, 2, 3));
  EXPECT_EQ(store->Count({}), Totals());
  EXPECT_THAT(tries_, ElementsAre(1, 2, 3, 1)) << "the opened store repeats as well";
}

TEST_F(RetryStoreTest, AnOpeningThatCannotSucceedIsTriedOnce) {
  int opened = 0;
  const auto open = [&]() -> std::unique_ptr<Store> {
    ++opened;
    throw Trouble(ErrorKind::kAuth);
  };
  EXPECT_THROW(OpenWithRetry(open, policy_), StoreError);
  EXPECT_EQ(opened, 1);
}

}  // namespace
}  // namespace flaky
