// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_EVENT_HANDLERS_H_
#define FLAKY_RECORDER_EVENT_HANDLERS_H_

// The user's warnings are for the user's code, so this and all headers below are system headers, except in our checks.
#ifndef FLAKY_RECORDER_SHOW_WARNINGS
#pragma GCC system_header
#endif

// pkg-config gives the path without quotes, because quotes do not survive `g++ $(pkg-config --cflags flaky-recorder)`.
// Compilers define some words as macros, for example `linux`, which would change the path.
#if defined(FLAKY_RECORDER_PROGRAM_PATH) && !defined(FLAKY_RECORDER_PROGRAM)
#undef linux
#undef unix
#undef i386
#define FLAKY_RECORDER_QUOTED(...) #__VA_ARGS__
#define FLAKY_RECORDER_EXPANDED(...) FLAKY_RECORDER_QUOTED(__VA_ARGS__)
#define FLAKY_RECORDER_PROGRAM FLAKY_RECORDER_EXPANDED(FLAKY_RECORDER_PROGRAM_PATH)
#endif

#include <cstdint>
#include <string_view>

#include "arguments.h"
#include "events.h"
#include "recorder.h"

// Records what events.h declares. Included by exactly one source of a program, because it defines functions. They are
// weak, so a program may contain them twice, for example in a library that is linked as a whole.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

namespace {
// In a plugin that is loaded later, a system call might not be allowed any more, and the time is known already.
void NoteLoad() {
  if (!ProcessPage::Exists()) NoteLoadTime();
}
#if defined(__GLIBC__)
[[gnu::constructor, gnu::used]] void Load(int argc, char** argv) {
  NoteArguments(argc, argv);
  NoteLoad();
}
#else
[[gnu::constructor, gnu::used]] void Load() { NoteLoad(); }
#endif
}  // namespace

[[gnu::weak]] void OnProgramStart(const ProgramFacts& facts) {
  RunFacts run;
  run.unit_test = facts.unit_test;
  run.visit_tests = facts.visit_tests;
  run.tests_to_run = facts.tests_to_run;
  if (facts.shuffles) run.shuffle_seed = facts.shuffle_seed;
  run.has_shard_flags = facts.has_shard_flags;
  run.shard_index = facts.shard_index;
  run.shard_total = facts.shard_total;
  Recorder::Get().Start(run);
}

[[gnu::weak]] void OnIterationStart(int iteration, const ProgramFacts& facts) {
  Recorder& recorder = Recorder::Get();
  if (!recorder.active()) return;
  if (iteration > 0) recorder.journal().Iteration(iteration, facts.shuffles ? &facts.shuffle_seed : nullptr);
  if (facts.tests_to_run == 0 && facts.fails_if_no_test_is_selected) {
    // GoogleTest now fails and does not call OnTestProgramEnd.
    recorder.journal().Part(
        {PartKind::kFailure, nullptr, -1, "no test was selected (--gtest_fail_if_no_test_selected)"});
    recorder.End(false);
  }
}

[[gnu::weak]] void OnSuiteStart(const char* name) {
  if (Recorder& recorder = Recorder::Get(); recorder.active()) recorder.journal().EnterSuite(name);
}

[[gnu::weak]] void OnTestStart(const char* suite, const char* name, const char* file, int line, const char* parameter) {
  Recorder::Get().TestStart(suite, name, file == nullptr ? "" : file, line, parameter);
}

[[gnu::weak]] void OnSkipOrFailure(bool is_skip, const char* file, int line, EventText message) {
  Recorder& recorder = Recorder::Get();
  if (!recorder.active()) return;
  const PartKind kind = is_skip ? PartKind::kSkip : PartKind::kFailure;
  recorder.journal().Part({kind, file, line, std::string_view(message.data, message.size)});
}

[[gnu::weak]] void OnTestEnd(const char* outcome) {
  if (Recorder& recorder = Recorder::Get(); recorder.active()) recorder.journal().TestEnd(outcome);
}

[[gnu::weak]] void OnSuiteEnd() {
  if (Recorder& recorder = Recorder::Get(); recorder.active()) recorder.journal().LeaveSuite();
}

[[gnu::weak]] void OnProgramEnd(bool passed) { Recorder::Get().End(passed); }

[[gnu::weak]] void OnListenerDeleted() noexcept { Recorder::Get().Leave(); }

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_EVENT_HANDLERS_H_
