// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_CONTRACT_RANDOM_HISTORY_H_
#define FLAKY_TESTS_CONTRACT_RANDOM_HISTORY_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "history/part_tests.h"
#include "stores/store.h"

namespace flaky {

// Choices that depend only on the seed, on every machine.
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

// Generates what writers may send and readers may ask for, with content that a faulty store would change: runs whose
// parts arrive in any split and order, unfinished and then finished, runs of the npm packages, repetitions and
// contradictions, ids that hardly differ, and every kind of text, time and number that a record can hold. The same seed
// generates the same.
class RandomHistory {
 public:
  explicit RandomHistory(uint64_t seed) : random_(seed) {}

  Random& random() { return random_; }

  // Returns records for one call of Write: distinct runs, some of which were sent before.
  std::vector<RunRecord> NextBatch();

  std::string AnyRunId();   // of a run that may be stored
  std::string AnyPrefix();  // with which some run ids may begin
  RunFilter AnyRunFilter();
  PageRequest AnyPageRequest();
  FailureFilter AnyFailureFilter();

 private:
  // Everything that is ever sent of a run.
  struct Plan {
    RunRecord whole;
    std::vector<RunRecord> sent;  // some of the records that were sent
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
  PartTests SomeTests();
  void Describe(Run& run);  // sets the facts that do not depend on parts

  Plan NewPlan();
  RunRecord SomeOf(const Plan& plan);
  RunRecord Contradiction(const Plan& plan);
  RunRecord Next(Plan& plan);

  Random random_;
  std::vector<Plan> plans_;
  std::vector<PartTests> tests_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CONTRACT_RANDOM_HISTORY_H_
