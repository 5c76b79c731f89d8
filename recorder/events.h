// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_EVENTS_H_
#define FLAKY_RECORDER_EVENTS_H_

#include <stddef.h>
#include <stdint.h>

// What GoogleTest's events tell the recorder. gtest_adapter.h calls these functions and event_handlers.h defines them.
// CMake compiles the two apart: the adapter in each test target, like the tests themselves, and the rest with its own
// settings. So this header is C++11, and only plain types pass through it, whose layout is the same under any standard,
// standard library or debug mode.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

struct EventText {
  const char* data;
  size_t size;
};

// Receives the names of a test. `suite` is the same pointer for all tests of a suite.
typedef void (*TakeTest)(void* receiver, const char* suite, const char* name);
// Passes each test that is registered in a GoogleTest, in the order of registration.
typedef void (*VisitTests)(const void* unit_test, TakeTest take, void* receiver);

struct ProgramFacts {
  const void* unit_test;  // identifies the GoogleTest: a process may contain several
  VisitTests visit_tests;
  int64_t tests_to_run;
  bool shuffles;
  int64_t shuffle_seed;  // only if `shuffles`
  // The flags of this GoogleTest, which then has read the environment. Only if it has such flags (1.18).
  bool has_shard_flags;
  int64_t shard_index, shard_total;
  bool fails_if_no_test_is_selected;
};

void OnProgramStart(const ProgramFacts& facts);
void OnIterationStart(int iteration, const ProgramFacts& facts);
void OnSuiteStart(const char* name);
// `parameter` is the text of the test's value or type parameter, or null. All texts must live until the program ends.
void OnTestStart(const char* suite, const char* name, const char* file, int line, const char* parameter);
// Reports a skip or a failure. `file` may be null.
void OnSkipOrFailure(bool is_skip, const char* file, int line, EventText message);
// `outcome` is "passed", "failed", "skipped" or "not_run".
void OnTestEnd(const char* outcome);
void OnSuiteEnd();
void OnProgramEnd(bool passed);
// GoogleTest has deleted the listener, so another copy of the recorder may take over.
void OnListenerDeleted() noexcept;

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_EVENTS_H_
