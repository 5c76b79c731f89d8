// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_GTEST_ADAPTER_H_
#define FLAKY_RECORDER_GTEST_ADAPTER_H_

// The user's warnings are for the user's code, so this and all headers below are system headers, except in our checks.
#ifndef FLAKY_RECORDER_SHOW_WARNINGS
#pragma GCC system_header
#endif

#include <gtest/gtest.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "events.h"
#include "gtest_flags.h"

// The GoogleTest listener. It tells the recorder what events.h declares, and knows nothing else of it.
//
// The recorder follows these rules, because test programs do everything that programs can do:
//
//   * Before OnTestProgramStart it only remembers the time and the place of the arguments, so listing tests and
//     re-executed death tests leave no trace.
//   * It starts no thread, handles no signal, keeps no descriptor open and no heap block, and needs little stack.
//   * It calls no function that a test program may define, wrap or preload: it makes system calls itself.
//   * It calls no function of GoogleTest's UnitTest in OnTestPartResult, which any thread may call and which runs under
//     GoogleTest's lock.
//   * In a forked child it does nothing, unless the child calls RUN_ALL_TESTS.
//   * It never fails a test, throws, or raises a signal.
//
// A test target compiles this like its own tests: with its GoogleTest (1.10 to 1.18), its language standard (C++11 or
// later), its definitions and its include folders. So it includes only what GoogleTest includes too, and it may follow
// the target's other sources in the same unity source.

// Programs link with `-u flaky_recorder_adapter`, so the linker takes this object from a static library too, although
// nothing else refers to it. Weak, because a library and its program may both contain it.
extern "C" {
__attribute__((weak, visibility("hidden"))) extern const char flaky_recorder_adapter;
__attribute__((used)) const char flaky_recorder_adapter = 1;
}

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// One listener for all copies of this object in a program or library. The recorder finds out which of the copies in a
// process record.
inline bool& IsRegistered() {
  static bool is_registered = false;
  return is_registered;
}

namespace {

// Looks up some names before it passes them on, so that the processor fetches them from memory at the same time.
void VisitAllTests(const void* unit_test, TakeTest take, void* receiver) {
  const ::testing::UnitTest& all = *static_cast<const ::testing::UnitTest*>(unit_test);
  const int kAtOnce = 32;
  const char* names[kAtOnce];
  for (int at = 0; at < all.total_test_suite_count(); ++at) {
    const ::testing::TestSuite& suite = *all.GetTestSuite(at);
    const char* const suite_name = suite.name();
    const int count = suite.total_test_count();
    for (int first = 0; first < count; first += kAtOnce) {
      const int end = count - first < kAtOnce ? count - first : kAtOnce;
      for (int test = 0; test < end; ++test) {
        names[test] = suite.GetTestInfo(first + test)->name();
        __builtin_prefetch(names[test]);
      }
      for (int test = 0; test < end; ++test) take(receiver, suite_name, names[test]);
    }
  }
}

// Returns GoogleTest's text of the test's parameter, or null.
const char* ParameterOf(const ::testing::TestInfo& test) {
  return test.value_param() != nullptr ? test.value_param() : test.type_param();
}

ProgramFacts FactsOf(const ::testing::UnitTest& unit_test) {
  ProgramFacts facts;
  facts.unit_test = &unit_test;
  facts.visit_tests = VisitAllTests;
  facts.tests_to_run = unit_test.test_to_run_count();
#ifdef GTEST_FLAG_GET
  facts.shuffles = GTEST_FLAG_GET(shuffle);
#else
  facts.shuffles = ::testing::GTEST_FLAG(shuffle);
#endif
  facts.shuffle_seed = unit_test.random_seed();
  facts.has_shard_flags = flaky_recorder_flags::TotalShards() != flaky_recorder_flags::kAbsent;
  facts.shard_index = flaky_recorder_flags::ShardIndex();
  facts.shard_total = flaky_recorder_flags::TotalShards();
  facts.fails_if_no_test_is_selected = flaky_recorder_flags::FailsIfNoTestIsSelected();
  return facts;
}

// Returns the user's message, without the text that some versions of GoogleTest add to it.
EventText MessageOf(const ::testing::TestPartResult& part) {
  EventText text = {part.message() == nullptr ? "" : part.message(), 0};
  text.size = strlen(text.data);
  static const char kSkipped[] = "Skipped\n";
  const size_t skipped_size = sizeof kSkipped - 1;
  if (part.skipped() && text.size >= skipped_size && memcmp(text.data, kSkipped, skipped_size) == 0) {
    text.data += skipped_size;
    text.size -= skipped_size;
  }
  while (text.size > 0 && text.data[text.size - 1] == '\n') --text.size;
  return text;
}

// Returns true if GoogleTest reported the test without running it: such a test has no start time, and exactly one skip
// without a message.
bool WasNotRun(const ::testing::TestResult& result) {
  return result.start_timestamp() == 0 && result.total_part_count() == 1 &&
         MessageOf(result.GetTestPartResult(0)).size == 0;
}

const char* OutcomeOf(const ::testing::TestResult& result) {
  if (result.Passed()) return "passed";
  if (result.Skipped()) return WasNotRun(result) ? "not_run" : "skipped";
  return "failed";
}

class Listener : public ::testing::EmptyTestEventListener {
 public:
  // GoogleTest owns its listeners and deletes them. This one needs no heap, which may be the program's own.
  static void* operator new(size_t size) {
    alignas(16) static unsigned char memory[64];
    return size <= sizeof memory ? memory : nullptr;
  }
  static void operator delete(void*) {}

  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() override { OnListenerDeleted(); }

  void OnTestProgramStart(const ::testing::UnitTest& unit_test) override { OnProgramStart(FactsOf(unit_test)); }
  void OnTestIterationStart(const ::testing::UnitTest& unit_test, int iteration) override {
    OnIterationStart(iteration, FactsOf(unit_test));
  }
  void OnTestSuiteStart(const ::testing::TestSuite& suite) override { OnSuiteStart(suite.name()); }
  void OnTestStart(const ::testing::TestInfo& test) override {
    flaky_recorder::OnTestStart(test.test_suite_name(), test.name(), test.file(), test.line(), ParameterOf(test));
  }
  void OnTestPartResult(const ::testing::TestPartResult& part) override {
    if (!part.passed()) OnSkipOrFailure(part.skipped(), part.file_name(), part.line_number(), MessageOf(part));
  }
  void OnTestEnd(const ::testing::TestInfo& test) override { flaky_recorder::OnTestEnd(OutcomeOf(*test.result())); }
  void OnTestSuiteEnd(const ::testing::TestSuite&) override { OnSuiteEnd(); }
  void OnTestProgramEnd(const ::testing::UnitTest& unit_test) override { OnProgramEnd(unit_test.Passed()); }
};

bool Register() {
  if (IsRegistered()) return false;
  IsRegistered() = true;
  ::testing::UnitTest::GetInstance()->listeners().Append(new Listener);  // takes ownership
  return true;
}

__attribute__((used)) const bool kIsRegistered = Register();

}  // namespace
}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_GTEST_ADAPTER_H_
