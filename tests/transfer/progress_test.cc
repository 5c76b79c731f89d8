// SPDX-License-Identifier: MIT

// The progress that a copy and a comparison report.
#include "transfer/progress.h"

#include <gmock/gmock.h>

#include <utility>
#include <vector>

#include "stores/memory/memory_store.h"
#include "tests/support/record_builder.h"
#include "transfer/copy.h"
#include "transfer/verify.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::Pair;

struct PhaseLog : Progress {
  void Begin(Phase phase, int64_t total_runs) override {
    EXPECT_FALSE(done);
    phases.emplace_back(phase, total_runs);
    last = {};
  }
  void Update(const CopyProgress& progress) override {
    EXPECT_FALSE(done);
    EXPECT_GE(progress.runs, last.runs);
    EXPECT_EQ(progress.total_runs, phases.back().second);
    last = progress;
  }
  void Done(const CopyProgress& progress) override {
    EXPECT_FALSE(std::exchange(done, true));
    EXPECT_EQ(progress.runs, 25);
  }

  std::vector<std::pair<Phase, int64_t>> phases;
  CopyProgress last;
  bool done = false;
};

class ProgressTest : public testing::Test {
 protected:
  ProgressTest() {
    std::vector<RunRecord> records;
    for (int i = 0; i < 25; ++i) records.push_back(BuildRecord("r" + std::to_string(i)).StartedAt(At(i)).Build());
    from_->Write(records);
  }
  CopySummary CopyAll(bool dry_run) {
    StoreSource source(*from_);
    StoreSink sink(*to_);
    CopyOptions options;
    options.limits.records = 4;
    options.dry_run = dry_run;
    return Copy(source, sink, options, log_);
  }

  std::unique_ptr<Store> from_ = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  std::unique_ptr<Store> to_ = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  PhaseLog log_;
};

TEST_F(ProgressTest, ACopyCountsCopiesAndFinishes) {
  CopyAll(false);
  EXPECT_TRUE(log_.done);
  EXPECT_THAT(log_.phases,
              ElementsAre(Pair(Phase::kCounting, 0), Pair(Phase::kCopying, 25), Pair(Phase::kFinishing, 0)));
}

TEST_F(ProgressTest, ADryRunOnlyCompares) {
  CopyAll(true);
  EXPECT_TRUE(log_.done);
  EXPECT_THAT(log_.phases, ElementsAre(Pair(Phase::kCounting, 0), Pair(Phase::kComparing, 25)));
}

TEST_F(ProgressTest, AComparisonCountsAndCompares) {
  VerifyOptions options;
  options.limits.records = 4;
  Verify(*from_, *to_, options, log_);
  EXPECT_TRUE(log_.done);
  EXPECT_THAT(log_.phases, ElementsAre(Pair(Phase::kCounting, 0), Pair(Phase::kComparing, 25)));
}

}  // namespace
}  // namespace flaky
