// SPDX-License-Identifier: MIT

// The GoogleTest listener that records. Users compile only this source, in their build, against their GoogleTest (1.10
// to 1.18), as C++17. It includes only the headers in its folder, GoogleTest's and libc's.
//
// The recorder follows these rules, because test programs do everything that programs can do:
//   * Before OnTestProgramStart it only remembers where the arguments are, so listing tests and re-executed death tests
//     leave no trace.
//   * It starts no thread, handles no signal, keeps no descriptor open and no heap block, and needs little stack.
//   * It calls no function that a test program may define, wrap or preload: it makes system calls itself.
//   * It calls no function of GoogleTest's UnitTest in OnTestPartResult, which any thread may call and which runs under
//     GoogleTest's lock.
//   * In a forked child it does nothing, unless the child calls RUN_ALL_TESTS.
//   * It never fails a test, throws, or raises a signal.

#if __cplusplus < 201703L
#error "flaky's recorder needs C++17: compile listener.cc with -std=c++17, other sources as they are"
#else

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "arguments.h"
#include "gtest_flags.h"
#include "recorder.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// One listener for all copies of this object in a program or library.
inline bool is_registered = false;

namespace {

bool Shuffles() {
#ifdef GTEST_FLAG_GET
  return GTEST_FLAG_GET(shuffle);
#else
  return ::testing::GTEST_FLAG(shuffle);
#endif
}

// Returns the user's message, without the text that some versions of GoogleTest add to it.
std::string_view MessageOf(const testing::TestPartResult& part) {
  std::string_view text(part.message() == nullptr ? "" : part.message());
  constexpr std::string_view kSkipped = "Skipped\n";
  if (part.skipped() && text.substr(0, kSkipped.size()) == kSkipped) text.remove_prefix(kSkipped.size());
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text;
}

// Returns true if GoogleTest reported the test without running it: such a test has no start time, and exactly one skip
// without a message.
bool WasNotRun(const testing::TestResult& result) {
  return result.start_timestamp() == 0 && result.total_part_count() == 1 &&
         MessageOf(result.GetTestPartResult(0)).empty();
}

std::string_view OutcomeOf(const testing::TestResult& result) {
  if (result.Passed()) return "passed";
  if (result.Skipped()) return WasNotRun(result) ? "not_run" : "skipped";
  return "failed";
}

class Listener : public testing::EmptyTestEventListener {
 public:
  // GoogleTest owns its listeners and deletes them. This one needs no heap, which may be the program's own.
  static void* operator new(std::size_t) {
    alignas(std::max_align_t) static unsigned char memory[64];
    static_assert(sizeof(Listener) <= sizeof memory);
    return memory;
  }
  static void operator delete(void*) {}

  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() override { recorder_.Leave(); }

  void OnTestProgramStart(const testing::UnitTest& unit_test) override {
    RunFacts run;
    run.unit_test = &unit_test;
    run.tests_to_run = unit_test.test_to_run_count();
    if (Shuffles()) run.shuffle_seed = unit_test.random_seed();
    run.has_shard_flags = flaky_recorder_flags::TotalShards() != flaky_recorder_flags::kAbsent;
    run.shard_index = flaky_recorder_flags::ShardIndex();
    run.shard_total = flaky_recorder_flags::TotalShards();
    recorder_.Start(run);
  }

  void OnTestIterationStart(const testing::UnitTest& unit_test, int iteration) override {
    if (!recorder_.active()) return;
    if (iteration > 0) {
      const std::int64_t seed = unit_test.random_seed();
      recorder_.journal().Iteration(iteration, Shuffles() ? &seed : nullptr);
    }
    if (unit_test.test_to_run_count() == 0 && flaky_recorder_flags::FailsIfNoTestIsSelected()) {
      // GoogleTest now fails and does not call OnTestProgramEnd.
      recorder_.journal().Part(
          {PartKind::kFailure, nullptr, -1, "no test was selected (--gtest_fail_if_no_test_selected)"});
      recorder_.End(false);
    }
  }

  void OnTestSuiteStart(const testing::TestSuite& suite) override {
    if (recorder_.active()) recorder_.journal().EnterSuite(suite.name());
  }

  void OnTestStart(const testing::TestInfo& test) override {
    const char* const file = test.file();
    recorder_.TestStart(test.test_suite_name(), test.name(), file == nullptr ? "" : file, test.line());
  }

  void OnTestPartResult(const testing::TestPartResult& part) override {
    if (!recorder_.active() || part.passed()) return;
    const PartKind kind = part.skipped() ? PartKind::kSkip : PartKind::kFailure;
    recorder_.journal().Part({kind, part.file_name(), part.line_number(), MessageOf(part)});
  }

  void OnTestEnd(const testing::TestInfo& test) override {
    if (recorder_.active()) recorder_.journal().TestEnd(OutcomeOf(*test.result()));
  }

  void OnTestSuiteEnd(const testing::TestSuite&) override {
    if (recorder_.active()) recorder_.journal().LeaveSuite();
  }

  void OnTestProgramEnd(const testing::UnitTest& unit_test) override { recorder_.End(unit_test.Passed()); }

 private:
  Recorder& recorder_ = Recorder::Get();
};

#if defined(__GLIBC__)
[[gnu::constructor]] void Load(int argc, char** argv) { NoteArguments(argc, argv); }
#endif

[[maybe_unused]] const bool kIsRegistered = [] {
  if (is_registered) return false;
  is_registered = true;
  testing::UnitTest::GetInstance()->listeners().Append(new Listener);
  return true;
}();

}  // namespace
}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // __cplusplus
