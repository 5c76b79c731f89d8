#ifndef FLAKY_TESTS_CONTRACT_RANDOM_HISTORY_H_
#define FLAKY_TESTS_CONTRACT_RANDOM_HISTORY_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "stores/store.h"

namespace flaky {

// Choices that depend on the seed alone, on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  size_t Below(size_t count) { return static_cast<size_t>(engine_() % count); }
  bool OneIn(size_t count) { return Below(count) == 0; }
  template <typename Container>
  const auto& Of(const Container& container) {
    return *(std::begin(container) + static_cast<std::ptrdiff_t>(Below(std::size(container))));
  }
  template <typename T>
  T Of(std::initializer_list<T> values) {
    return *(values.begin() + Below(values.size()));
  }
  uint64_t Bits() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

// Makes up what writers may send and readers may ask, with content that stores are tempted to change: runs in parts
// that arrive in any split and order, unfinished and then finished, runs of the npm packages, repeats and
// contradictions, ids that differ by little, every kind of text, time and number that a record may hold. The same seed
// gives the same.
class RandomHistory {
 public:
  explicit RandomHistory(uint64_t seed) : random_(seed) {}

  Random& random() { return random_; }

  // Records for one call of Write: of distinct runs, some of them sent before.
  std::vector<RunRecord> NextBatch();

  std::string AnyRunId();   // of a run that may be there
  std::string AnyPrefix();  // that some runs' ids may begin with
  RunFilter AnyRunFilter();
  PageRequest AnyPageRequest();
  FailureFilter AnyFailureFilter();

 private:
  // All that will ever be sent of a run.
  struct Plan {
    RunRecord whole;
    std::vector<RunRecord> sent;  // some of what was sent of it
  };

  std::string NewRunId();
  std::string Text();
  std::optional<std::string> MaybeText();
  std::optional<std::string> MaybeMessage();
  std::optional<std::string> Project();
  int64_t Number();
  std::optional<int64_t> MaybeNumber();
  std::optional<int64_t> MaybeCount();
  Timestamp Time();
  std::string TestName();
  Account EndedAccount();
  Failure AnyFailure();
  RosterPtr AnyRoster();
  void Describe(Run& run);  // sets the facts that have nothing to do with parts

  Plan NewPlan();
  RunRecord SomeOf(const Plan& plan);
  RunRecord Contradiction(const Plan& plan);
  RunRecord Next(Plan& plan);

  Random random_;
  std::vector<Plan> plans_;
  std::vector<RosterPtr> rosters_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CONTRACT_RANDOM_HISTORY_H_
