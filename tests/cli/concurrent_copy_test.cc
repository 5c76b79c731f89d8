// SPDX-License-Identifier: MIT

// Concurrent copies: the source grows during the copy, or another copy writes to the same target.

#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/cli/copy_fixture.h"
#include "tests/support/soak.h"
#include "tests/support/wait_for.h"
#include "transfer/jsonl_writer.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

// Keeps writing to a store during its lifetime, in separate processes: test programs with the recorder, which add the
// newest runs, and imports, which add runs in the middle of the history.
class Writers {
 public:
  // `files`: the prefix of the paths of their files.
  Writers(const EmptyPlace& place, const std::string& files)
      : environment_({"FLAKY_TESTS_STORE=" + place.store().store,
                      "FLAKY_TESTS_CONNECTION_STRING=" + place.store().connection, "FLAKY_TESTS_DELIVERY_TIMEOUT=60",
                      std::string("FLAKY_TESTS_DELIVERY_WAIT=") + kLongWait, "FLAKY_TESTS_SPOOL=" + files + "-spool",
                      "MANY_TESTS=20", "MANY_FAILURES=2"}),
        recording_([this, files] { Record(files + "-record"); }),
        importing_([this, files, to = place.location()] { Import(files + "-import", to); }) {}
  ~Writers() { Stop(); }

  void Stop() {
    ended_ = true;
    if (recording_.joinable()) recording_.join();
    if (importing_.joinable()) importing_.join();
  }

 private:
  void Record(const std::string& files) const {
    while (!ended_) {
      const Outcome tests = RunningProgram({FLAKY_FIXTURES "/many_tests"}, environment_, files).Wait();
      EXPECT_EQ(tests.code, 1);
      EXPECT_EQ(tests.err, "");
    }
  }
  void Import(const std::string& files, const std::string& to) const {
    for (uint64_t seed = 0; !ended_; ++seed) {
      const std::string file = files + ".jsonl";
      std::ofstream stream(file, std::ios::binary);
      JsonlWriter writer({"test", "test", Timestamp::Now()}, [&](std::string_view bytes) { stream << bytes; });
      writer.Write(OtherHistory(seed, 20));
      writer.Finish();
      stream.close();
      const Outcome import = RunningProgram({FLAKY_PROGRAM, "import", file, "--to", to}, environment_, files).Wait();
      EXPECT_EQ(import.code, 0) << import.err;
    }
  }

  std::atomic<bool> ended_ = false;
  const std::vector<std::string> environment_;
  std::thread recording_, importing_;
};

class CopyWithWritersTest : public CopyTest {};

TEST_F(CopyWithWritersTest, EarlierRunsAreCompleteAndASecondCopyCatchesUp) {
  const std::vector<Pair> pairs = {
      {"sqlite", "postgres"}, {"postgres", "sqlite"}, {"sqlite", "turso"}, {"postgres", "turso"}, {"sqlite", "jsonl"}};
  const auto rounds = static_cast<size_t>(SoakCount(2, 20));
  for (size_t round = 0; round < rounds; ++round) {
    const Pair& pair = pairs[round % pairs.size()];
    SCOPED_TRACE(pair.Name());
    const EmptyPlace source = NewPlace(pair.source);
    EmptyPlace target = NewPlace(pair.target);
    {
      const auto store = source.store().Open(OpenMode::kBulk);
      store->Write(GeneratedHistory());
      store->Finish();
    }
    Writers writers(source, NewPath("writers"));
    WaitFor("the first run of the writers",
            [&] { return source.Now().size() > GeneratedContents().size() || HasFailure(); });
    RunDigests before, after;
    Outcome copy;
    // On a slow machine a copy may end before the writers do anything.
    for (int tries = 0; tries < 20 && after.size() == before.size(); ++tries) {
      if (tries > 0) target = NewPlace(pair.target);
      before = source.Now();
      copy = Flaky(CopyCommand(pair, source.location(), target.location()));
      after = source.Now();
    }
    writers.Stop();

    EXPECT_EQ(copy.code, 0) << copy.out << copy.err;
    EXPECT_GT(after.size(), before.size()) << "no run was written during the copy";
    const RunDigests copied = target.Now();
    int64_t incomplete = 0;
    for (const auto& [run_id, digest] : before) {
      const auto found = copied.find(run_id);
      incomplete += found == copied.end() || found->second != digest;
    }
    EXPECT_EQ(incomplete, 0);
    const RunDigests at_the_end = source.Now();
    Missing(at_the_end, copied);

    const Outcome again = Flaky(CopyCommand(pair, source.location(), target.location()));
    EXPECT_EQ(again.code, 0) << again.out << again.err;
    EXPECT_EQ(Missing(at_the_end, target.Now()), 0);
    if (!target.is_file()) ExpectVerified(source.location(), target.location());
    if (HasFailure()) return;
  }
}

class TwoCopiesTest : public CopyTest, public testing::WithParamInterface<StoreKind> {};

TEST_P(TwoCopiesTest, OnlyOneAtATimeCopiesIntoAStore) {
  const int64_t rounds = SoakCount(3, 30);
  for (int64_t round = 0; round < rounds; ++round) {
    const EmptyPlace target = NewPlace(GetParam().name);
    const auto command =
        CopyCommand({"sqlite", target.kind()}, Filled("sqlite").location, target.location(), {"--json"});
    const auto one = Start(command), other = Start(command);
    std::vector<Outcome> outcomes = {one->Wait(), other->Wait()};
    if (outcomes[0].code != 0) std::swap(outcomes[0], outcomes[1]);
    ASSERT_EQ(outcomes[0].code, 0) << outcomes[0].err << outcomes[1].err;
    EXPECT_EQ(json::parse(outcomes[0].out).at("runs"), GeneratedContents().size());
    // If the second copy began after the first had ended, it found every run in the target.
    ASSERT_THAT(outcomes[1].code, AnyOf(0, 11)) << outcomes[1].err;
    if (outcomes[1].code == 11) {
      EXPECT_EQ(outcomes[1].out, "");
      EXPECT_THAT(outcomes[1].err, AllOf(HasSubstr("another copy into"), HasSubstr("--wait")));
    }
    EXPECT_EQ(Missing(GeneratedContents(), target.Now()), 0);
    ExpectInOrder(target);
    ExpectVerified(Filled("sqlite").location, target.location());
  }
}

TEST_P(TwoCopiesTest, ASecondCopyIsRefusedDuringTheFirst) {
  const EmptyPlace target = NewPlace(GetParam().name);
  const auto command = [&](const std::vector<std::string>& more) {
    return CopyCommand({"sqlite", target.kind()}, Filled("sqlite").location, target.location(), more);
  };
  // So slow that it still runs, however long this machine stalls.
  const auto one = Start(command({"--max-rate", "20"}));
  WaitFor("the first runs in the target", [&] { return !one->Runs() || !target.Now().empty(); });
  const Outcome other = Flaky(command({}));
  one->Signal(SIGINT);
  EXPECT_EQ(other.code, 11);
  EXPECT_EQ(other.out, "");
  EXPECT_THAT(other.err, AllOf(HasSubstr("another copy into"), HasSubstr("--wait")));
  EXPECT_EQ(one->Wait().code, 130);
  EXPECT_EQ(Flaky(command({})).code, 0);
  EXPECT_EQ(Missing(GeneratedContents(), target.Now()), 0);
}

TEST_P(TwoCopiesTest, OneWaitsForTheOtherIfAskedTo) {
  const int64_t rounds = SoakCount(1, 10);
  for (int64_t round = 0; round < rounds; ++round) {
    const EmptyPlace target = NewPlace(GetParam().name);
    const auto command =
        CopyCommand({"sqlite", target.kind()}, Filled("sqlite").location, target.location(), {"--json", "--wait"});
    const auto one = Start(command), other = Start(command);
    int64_t copied = 0;
    for (const auto& copy : {one.get(), other.get()}) {
      const Outcome outcome = copy->Wait();
      ASSERT_EQ(outcome.code, 0) << outcome.err;
      const json summary = json::parse(outcome.out);
      EXPECT_EQ(summary.at("source_digest"), summary.at("target_digest"));
      copied += summary.at("copied").get<int64_t>();
      EXPECT_THAT(summary.at("sent"), AnyOf(0, GeneratedContents().size()));
    }
    EXPECT_EQ(copied, GeneratedContents().size()) << "each run was copied by one of them";
    EXPECT_EQ(Missing(GeneratedContents(), target.Now()), 0);
    ExpectInOrder(target);
  }
}

TEST_P(TwoCopiesTest, AWaitingCopyCanBeInterrupted) {
  const EmptyPlace target = NewPlace(GetParam().name);
  const auto command = [&](const std::vector<std::string>& more) {
    return CopyCommand({"sqlite", target.kind()}, Filled("sqlite").location, target.location(), more);
  };
  const auto one = Start(command({"--max-rate", "4000"}));
  WaitFor("the first runs in the target", [&] { return !one->Runs() || !target.Now().empty(); });
  const auto other = Start(command({"--wait"}));
  WaitFor("the message that the second copy waits",
          [&] { return !other->Runs() || other->Err().find("waiting for it to end") != std::string::npos; });
  other->Signal(SIGINT);
  const Outcome interrupted = other->Wait();
  EXPECT_EQ(interrupted.code, 130);
  EXPECT_THAT(interrupted.err, HasSubstr("interrupted; nothing was copied"));
  EXPECT_EQ(one->Wait().code, 0);
  EXPECT_EQ(Missing(GeneratedContents(), target.Now()), 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, TwoCopiesTest, testing::ValuesIn(StoreKinds()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace flaky
