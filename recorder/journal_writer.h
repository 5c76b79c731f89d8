// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_JOURNAL_WRITER_H_
#define FLAKY_RECORDER_JOURNAL_WRITER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "clock.h"
#include "errors.h"
#include "fixed_text.h"
#include "journal_file.h"
#include "journal_lines.h"
#include "json_text.h"
#include "repeats.h"
#include "spin_lock.h"
#include "thread_place.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Writes the lines of a journal as the events happen. Part may be called by any thread, also during the other calls;
// all other functions are for the thread that runs the tests. After Close nothing is written.
class JournalWriter {
 public:
  // Starts recording. The file must already contain the header. Times are relative to `start_ns` of `clock`; messages
  // are cut at `max_message` bytes.
  void Begin(const SteadyClock& clock, std::int64_t start_ns, std::size_t max_message) {
    clock_ = clock;
    start_ns_ = last_ns_ = start_ns;
    max_message_ = max_message;
    state_ = State::kRecording;
    test_open_ = has_exited_ = false;
    owed_outcome_ = {};
    source_file_ = suite_ = nullptr;
    error_ = 0;
    repeats_.Begin(file_.position());
    unlisted_ = {};
  }

  JournalFile& file() { return file_; }

  // Returns the errno because of which recording stopped before the end, or 0.
  int error() const { return error_ != 0 || !file_.is_gone() ? error_ : file_.error(); }

  // Forgets the file, which belongs to the parent of this process. Another thread of the parent may have had the lock.
  void Abandon() {
    file_.Abandon();
    lock_.Release();
  }

  // `suite` must live until the next call.
  void EnterSuite(const char* suite) {
    const SpinGuard guard(lock_);
    if (guard.held()) suite_ = suite;
  }
  void LeaveSuite() { EnterSuite(nullptr); }

  void Iteration(int number, const std::int64_t* shuffle_seed) {
    const std::int64_t now = clock_.Now();
    const SpinGuard guard(lock_);
    if (!Recording(guard)) return;
    Reach(now);
    if (Room(kLineFrame) == nullptr) return WriteLost();
    repeats_.NextIteration(file_);
    char* const begin = Room(kLineFrame);
    if (begin == nullptr) return WriteLost();
    file_.Publish('{', AppendIteration(begin + 1, number, shuffle_seed, repeats_.counting()));
    repeats_.IterationBegan(file_.position());
  }

  // The texts must live until the program ends; `parameter` may be null. `place` is where GoogleTest tells its
  // listeners of the test.
  void TestStart(const char* suite, const char* name, const char* source_file, int line, const char* parameter,
                 const ThreadPlace& place) {
    const std::int64_t clock = clock_.Now();
    const std::string_view suite_text(suite), name_text(name);
    const std::string_view parameter_text = parameter == nullptr ? std::string_view() : std::string_view(parameter);
    const SpinGuard guard(lock_);
    if (!Recording(guard)) return;
    const std::int64_t now = Reach(clock);
    has_exited_ = false;
    const bool new_file = source_file_ == nullptr || std::strcmp(source_file_, source_file) != 0;
    const std::string_view file_text(new_file ? source_file : "");
    const std::size_t texts =
        suite_text.size() + name_text.size() + file_text.size() + std::min(parameter_text.size(), kLongestParameter);
    char* const begin = Room(kLongestEscape * texts + kLineFrame + unlisted_.LongestLine());
    if (begin == nullptr) return WriteLost();
    line_begin_ = file_.position();
    previous_source_file_ = source_file_;
    test_ = {suite, name};
    test_has_failure_ = false;
    char first = '[';
    char* out = begin + 1;
    const auto open_line = [&](char c) { out == begin + 1 ? first = c : * out++ = c; };
    if (unlisted_.name != nullptr) {
      open_line('{');
      out = AppendAfter(out, unlisted_.suite, unlisted_.name);
    }
    if (new_file) {
      open_line('{');
      out = AppendSourceFile(out, file_text);
      source_file_ = source_file;
    }
    open_line('[');
    out = AppendTestStart(out, suite_text, name_text, line, (now - start_ns_) / 1000, parameter_text);
    test_start_ns_ = now;
    test_open_ = true;
    place_ = place;
    failed_by_another_thread_ = false;
    file_.Publish(first, out);
  }

  // If another thread added a failure to the test's line, the test is "failed", whatever `outcome` says: the failure
  // may have happened after GoogleTest was asked for the outcome. A failure on the test's own thread does not override
  // `outcome`: some tests take their failures back and pass.
  void TestEnd(std::string_view outcome) { FinishTest(outcome, nullptr); }

  // Notes that the process has begun to exit, with a handler at `place`. It may not be true: a child that shares the
  // memory of this process may have called exit(). So recording goes on, and the test may still end.
  void ProcessExits(int status, const ThreadPlace& place) {
    if (has_exited_) return;
    exit_ = {status, place.IsBelow(place_)};
    FinishTest("exited", &exit_);
  }

  bool test_open() const { return test_open_; }

  void Part(const PartText& part) {
    const std::int64_t clock = clock_.Now();
    const std::string_view message = CutText(part.message, max_message_);
    const std::string_view source(part.file == nullptr ? "" : part.file);
    const std::size_t size = EscapedSize(message) + EscapedSize(source);

    const SpinGuard guard(lock_);
    if (!Recording(guard)) return;
    const std::int64_t at_us = (Reach(clock) - start_ns_) / 1000;
    if (part.kind == PartKind::kSkip && (!test_open_ || message.empty())) return;
    if (part.kind == PartKind::kFailure) test_has_failure_ = true;
    if (part.kind == PartKind::kFailure && test_open_ && place_.thread != ThisThread())
      failed_by_another_thread_ = true;
    const bool has_exited = has_exited_;
    TakeBackExit();
    AddPart(part, at_us, message, source, size);
    if (has_exited) FinishOpenTest("exited", &exit_);  // such as by the destructor of a static object
  }

  void End(bool passed) {
    const std::int64_t now = clock_.Now();
    const SpinGuard guard(lock_);
    if (!guard.held() || !file_.is_open()) return;
    const std::int64_t end = Reach(now);
    if (owed_outcome_.data() != nullptr && file_.Recovers(JournalFile::kTail / 2)) {
      last_ns_ = owed_ns_;
      FinishOpenTest(owed_outcome_, nullptr);
      last_ns_ = end;
      WriteLost();
    }
    if (char* const begin = RoomOrTail(64); begin != nullptr) {
      file_.Publish('{', AppendEnd(begin + 1, (end - start_ns_) / 1000, passed));
    }
    file_.Close();
  }

  void Close() {
    const SpinGuard guard(lock_);
    if (guard.held()) file_.Close();
  }

 private:
  enum class State {
    kLost,    // only the end line can still be written
    kLosing,  // the file cannot grow; the open test still gets its outcome
    kRecording,
  };

  bool Recording(const SpinGuard& guard) const {
    return guard.held() && file_.is_open() && state_ == State::kRecording;
  }

  // Moves the time of the last event to `now`, and returns it. It never goes back: a sandbox may have made the clock
  // fail.
  std::int64_t Reach(std::int64_t now) {
    // In less time than this, no kernel can take away a page of a file: the fastest measured took 2,500 ns.
    constexpr std::int64_t kQuickest = 1000;
    is_intact_ = now - last_ns_ < kQuickest && now >= last_ns_;
    return last_ns_ = std::max(last_ns_, now);
  }

  char* Room(std::size_t size) {
    char* const begin = file_.Room(size, is_intact_);
    if (begin == nullptr && state_ == State::kRecording) {
      state_ = State::kLosing;
      error_ = file_.error();
    }
    return begin;
  }

  char* RoomOrTail(std::size_t size) {
    char* const begin = state_ == State::kRecording ? Room(size) : nullptr;
    return begin != nullptr ? begin : file_.TailRoom(size, is_intact_);
  }

  void WriteLost() {
    state_ = State::kLost;
    if (char* const begin = file_.TailRoom(128, is_intact_); begin != nullptr) {
      file_.Publish('{', AppendLost(begin + 1, ErrorText(error_)));
    }
  }

  void FinishTest(std::string_view outcome, const ExitInTest* exit) {
    const std::int64_t now = clock_.Now();
    const SpinGuard guard(lock_);
    if (!guard.held() || !file_.is_open() || !test_open_) return;
    Reach(now);
    TakeBackExit();
    if (failed_by_another_thread_ && exit == nullptr) outcome = "failed";
    FinishOpenTest(outcome, exit);
  }

  void FinishOpenTest(std::string_view outcome, const ExitInTest* exit) {
    exit_position_ = file_.position();
    has_exited_ = exit != nullptr;
    test_open_ = has_exited_;
    if (char* const begin = RoomOrTail(kLineFrame); begin != nullptr) {
      file_.Publish(',', AppendTestEnd(begin + 1, outcome, (last_ns_ - test_start_ns_) / 1000, exit));
    } else if (exit == nullptr) {
      owed_outcome_ = outcome;
      owed_ns_ = last_ns_;
    }
    unlisted_ = {};
    if (state_ == State::kRecording && !test_has_failure_ && repeats_.IsCounted(test_.name, outcome) &&
        file_.RewindTo(line_begin_)) {
      source_file_ = previous_source_file_;
      unlisted_ = test_;
    }
    if (state_ == State::kLosing) WriteLost();
  }

  // Removes what ProcessExits has written.
  void TakeBackExit() {
    if (!has_exited_) return;
    has_exited_ = false;
    if (state_ == State::kRecording && RoomOrTail(kLineFrame) != nullptr) file_.RewindTo(exit_position_);
  }

  void AddPart(const PartText& part, std::int64_t at_us, std::string_view message, std::string_view source,
               std::size_t size) {
    if (!test_open_ && unlisted_.name != nullptr) {
      if (char* const begin = Room(unlisted_.LongestLine()); begin != nullptr)
        file_.Publish('{', AppendAfter(begin + 1, unlisted_.suite, unlisted_.name));
    }
    const std::size_t suite_size = suite_ == nullptr ? 0 : std::strlen(suite_);
    if (char* const begin = Room(size + kLongestEscape * suite_size + 256); begin != nullptr) {
      char* out = OpenPart(begin + 1);
      out = AppendFailure(out, part.kind, at_us, source, part.line, message);
      if (message.size() < part.message.size()) out = AppendCutNote(out, part.message.size() - message.size());
      return ClosePart(out);
    }
    // Record that there was a failure, even if there is no room for its text.
    if (char* const begin = suite_size > 64 ? nullptr : file_.TailRoom(256 + kLongestEscape * suite_size, is_intact_);
        begin != nullptr) {
      char* out = AppendFailure(OpenPart(begin + 1), part.kind, at_us, {}, part.line, "(not recorded: ");
      ClosePart(Append(Append(out, ErrorText(error_)), ")"));
    }
    if (!test_open_) WriteLost();
  }

  // Writes what precedes a failure, without its first byte.
  char* OpenPart(char* out) {
    if (test_open_) return out;
    if (suite_ != nullptr) out = Append(AppendEscaped(Append(out, "\"suite\":\""), suite_), "\",");
    return Append(out, "\"failure\":");
  }

  void ClosePart(char* out) {
    if (test_open_) return file_.Publish(',', Append(out, "\"}"));
    file_.Publish('{', Append(out, "\"}}\n"));
  }

  // The names of a test, which live until the program ends.
  struct TestName {
    const char* suite = nullptr;
    const char* name = nullptr;
    // Returns the number of bytes that a line with the name may need.
    std::size_t LongestLine() const {
      return name == nullptr ? 0 : kLongestEscape * (std::strlen(suite) + std::strlen(name)) + kLineFrame;
    }
  };

  JournalFile file_;
  SpinLock lock_;
  SteadyClock clock_;
  std::int64_t start_ns_ = 0;
  std::int64_t test_start_ns_ = 0;
  std::size_t max_message_ = 0;
  State state_ = State::kLost;
  std::int64_t last_ns_ = 0;  // the time of the last event
  bool is_intact_ = false;    // no test can have cut the file since then
  bool test_open_ = false;
  ThreadPlace place_;  // of the open test
  bool has_exited_ = false;
  ExitInTest exit_ = {};
  std::size_t exit_position_ = 0;
  std::int64_t owed_ns_ = 0;
  std::string_view owed_outcome_;  // of the test whose line is not complete, because the disk was full at its end
  bool failed_by_another_thread_ = false;
  bool test_has_failure_ = false;
  TestName test_;               // of the open or the last test
  TestName unlisted_;           // the last test, if its result is counted
  std::size_t line_begin_ = 0;  // of the open test
  const char* source_file_ = nullptr;
  const char* previous_source_file_ = nullptr;
  const char* suite_ = nullptr;
  Repeats repeats_;
  int error_ = 0;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_JOURNAL_WRITER_H_
