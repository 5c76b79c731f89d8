// SPDX-License-Identifier: MIT

// Copies that are killed or interrupted at any moment, for all pairs of places: every run in the target is complete,
// and the same command completes the copy without sending much of it twice.

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/cli/copy_fixture.h"
#include "tests/support/soak.h"

namespace flaky {
namespace {

using nlohmann::json;
using std::chrono::microseconds;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CopySurvivalTest : public CopyTest {
 protected:
  struct Undisturbed {
    microseconds life;
    std::vector<std::string> indexes;
  };

  std::vector<std::string> CommandInto(const Pair& pair, const EmptyPlace& target, bool as_json = true) {
    return CopyCommand(pair, Filled(pair.source).location, target.location(),
                       as_json ? std::vector<std::string>{"--json"} : std::vector<std::string>{});
  }

  // Returns how long an undisturbed copy takes, and the indexes of its target.
  const Undisturbed& UndisturbedOf(const Pair& pair) {
    const auto [place, is_new] = undisturbed_.try_emplace(pair.Name());
    if (!is_new) return place->second;
    const EmptyPlace target = NewPlace(pair.target);
    const auto command = CommandInto(pair, target);
    const auto begin = std::chrono::steady_clock::now();
    const Outcome copy = Flaky(command);
    place->second.life = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - begin);
    place->second.indexes = target.Indexes();
    EXPECT_EQ(copy.code, 0) << copy.err;
    EXPECT_EQ(Missing(GeneratedContents(), target.Now()), 0);
    return place->second;
  }

  // Runs the same command again, undisturbed. Returns how many runs it sent.
  int64_t ExpectCompletes(const Pair& pair, const EmptyPlace& target) {
    const Outcome again = Flaky(CommandInto(pair, target));
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.err, Not(HasSubstr("another copy"))) << "no other copy is running";
    EXPECT_EQ(Missing(GeneratedContents(), target.Now()), 0);
    if (again.code != 0) return 0;
    const json summary = json::parse(again.out);
    const std::string digest = SumOf(GeneratedHistory()).ToString();
    EXPECT_EQ(summary.at("runs"), GeneratedHistory().size());
    if (target.is_file()) {
      EXPECT_EQ(summary.at("digest"), digest);
      EXPECT_FALSE(std::filesystem::exists(target.location() + ".part"));
      return 0;
    }
    EXPECT_EQ(summary.at("source_digest"), digest);
    EXPECT_EQ(summary.at("target_digest"), digest);
    EXPECT_EQ(target.Orphans(), 0);
    EXPECT_EQ(target.Indexes(), UndisturbedOf(pair).indexes);
    ExpectInOrder(target);
    ExpectVerified(Filled(pair.source == "jsonl" ? "sqlite" : pair.source).location, target.location());
    return summary.at("sent");
  }

 private:
  std::map<std::string, Undisturbed> undisturbed_;
};

// The kills of a pair are spread evenly over the duration of its copy, each at a random moment of its share.
TEST_F(CopySurvivalTest, KilledAtAnyMomentItIsCompletedByASecondRun) {
  const uint64_t seed = SoakSeed();
  const int64_t rounds = SoakCount(1, 7);
  std::mt19937_64 random(seed);
  int kills = 0, in_part = 0;
  for (const Pair& pair : AllPairs()) {
    const auto life = UndisturbedOf(pair).life.count();
    for (int64_t round = 0; round < rounds; ++round) {
      const auto share = life / rounds;
      const microseconds moment(share * round + static_cast<int64_t>(random() % static_cast<uint64_t>(share)));
      SCOPED_TRACE(pair.Name() + ", killed after " + std::to_string(moment.count()) + " us of " + std::to_string(life));
      const EmptyPlace target = NewPlace(pair.target);
      const auto copy = Start(CommandInto(pair, target));
      std::this_thread::sleep_for(moment);
      copy->Signal(SIGKILL);
      kills += copy->Wait().code == -SIGKILL;

      const int64_t missing = Missing(GeneratedContents(), target.Now());
      const bool has_runs = missing < static_cast<int64_t>(GeneratedHistory().size());
      in_part += has_runs && missing > 0;
      if (has_runs) {
        EXPECT_EQ(target.Orphans(), 0);
      }
      // A file gets its name when it is complete.
      if (target.is_file()) {
        EXPECT_THAT(missing, AnyOf(0, GeneratedHistory().size()));
      }
      EXPECT_LE(ExpectCompletes(pair, target), missing + kBatch);
      if (HasFailure()) return;
    }
  }
  std::printf("[  KILLED  ] %d of %zu copies, %d of them with some of the runs there\n", kills,
              AllPairs().size() * static_cast<size_t>(rounds), in_part);
  EXPECT_GT(in_part, 0);
}

TEST_F(CopySurvivalTest, InterruptedItEndsAfterTheBatchAndSaysHowToResume) {
  std::vector<Pair> pairs = AllPairs();
  std::mt19937_64 random(SoakSeed());
  std::ranges::shuffle(pairs, random);
  const int64_t rounds = SoakCount(6, 60);
  int interrupted = 0;
  for (int64_t round = 0; round < rounds; ++round) {
    const Pair& pair = pairs[static_cast<size_t>(round) % pairs.size()];
    const auto life = static_cast<uint64_t>(UndisturbedOf(pair).life.count());
    const microseconds moment(random() % life);
    SCOPED_TRACE(pair.Name() + ", interrupted after " + std::to_string(moment.count()) + " us of " +
                 std::to_string(life));
    const EmptyPlace target = NewPlace(pair.target);
    const auto copy = Start(CommandInto(pair, target, false));
    std::this_thread::sleep_for(moment);
    copy->Signal(SIGINT);
    const Outcome outcome = copy->Wait();
    // The signal may have come before the copy began or after it had ended.
    ASSERT_THAT(outcome.code, AnyOf(130, -SIGINT, 0)) << outcome.err;

    const int64_t missing = Missing(GeneratedContents(), target.Now());
    if (outcome.code == 130) {
      ++interrupted;
      if (target.is_file()) {
        EXPECT_THAT(outcome.err, HasSubstr("is unchanged"));
        EXPECT_FALSE(std::filesystem::exists(target.location()));
        EXPECT_FALSE(std::filesystem::exists(target.location() + ".part"));
      } else {
        EXPECT_THAT(outcome.out, HasSubstr("run it again for the rest"));
        ExpectInOrder(target);
        const int64_t there = static_cast<int64_t>(GeneratedHistory().size()) - missing;
        EXPECT_TRUE(missing == 0 || there % kBatch == 0) << there << " runs are not whole batches";
      }
    }
    EXPECT_LE(ExpectCompletes(pair, target), missing);
    if (HasFailure()) return;
  }
  std::printf("[INTERRUPTS] %d of %lld in the middle\n", interrupted, static_cast<long long>(rounds));
  EXPECT_GT(interrupted, 0);
}

// Several old files are copied to one server, one after the other. After a kill, the same command completes the copy.
TEST_F(CopySurvivalTest, FiveFilesAreCopiedToOneServerDespiteKills) {
  constexpr size_t kFiles = 5;
  constexpr int64_t kRuns = 300;
  RunDigests all;
  std::vector<std::string> command = {"migrate-store"};
  for (size_t file = 0; file < kFiles; ++file) {
    const std::vector<RunRecord> history = OtherHistory(file, kRuns);
    command.insert(command.end(), {"--from", "sqlite:" + NewPath("old.db")});
    const auto store = OpenStore(ParseLocation(command.back()), OpenMode::kBulk);
    store->Write(history);
    store->Finish();
    all.merge(ContentsOf(history));
  }
  ASSERT_EQ(all.size(), kFiles * kRuns);
  command.insert(command.end(), {"--batch-size", std::to_string(kBatch), "--json", "--to"});

  std::mt19937_64 random(SoakSeed());
  const int64_t rounds = SoakCount(2, 20);
  int64_t life = 300'000;
  for (int64_t round = 0; round < rounds; ++round) {
    const EmptyPlace target = NewPlace("postgres");
    std::vector<std::string> into = command;
    into.push_back(target.location());
    const auto copy = Start(into);
    std::this_thread::sleep_for(microseconds(random() % static_cast<uint64_t>(life)));
    copy->Signal(SIGKILL);
    copy->Wait();

    const int64_t missing = Missing(all, target.Now());
    const auto begin = std::chrono::steady_clock::now();
    const Outcome again = Flaky(into);
    life = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - begin).count();
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(Missing(all, target.Now()), 0);
    ExpectInOrder(target);
    // One summary for each file.
    std::istringstream summaries(again.out);
    int64_t sent = 0;
    for (size_t file = 0; file < kFiles; ++file) {
      json summary;
      summaries >> summary;
      EXPECT_EQ(summary.at("from"), command.at(2 + 2 * file));
      EXPECT_EQ(summary.at("runs"), kRuns);
      EXPECT_EQ(summary.at("source_digest"), summary.at("target_digest"));
      sent += summary.at("sent").get<int64_t>();
    }
    EXPECT_LE(sent, missing + kBatch);
  }
}

}  // namespace
}  // namespace flaky
