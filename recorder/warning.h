// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_WARNING_H_
#define FLAKY_RECORDER_WARNING_H_

#include <cerrno>
#include <initializer_list>
#include <string_view>

#include "fixed_text.h"
#include "process_calls.h"
#include "warning_text.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Within its scope, a write to a closed pipe or beyond the file size limit fails without the signal that would kill the
// program.
class WriteSignalsBlocked {
 public:
  WriteSignalsBlocked() {
    sys::Signals pending = 0;
    sys::PendingSignals(pending);
    ours_ &= ~pending;  // leave signals that were already pending
    sys::ChangeMask(SIG_BLOCK, ours_, &before_);
  }
  WriteSignalsBlocked(const WriteSignalsBlocked&) = delete;
  WriteSignalsBlocked& operator=(const WriteSignalsBlocked&) = delete;
  ~WriteSignalsBlocked() {
    for (long taken = 1; taken > 0 || taken == -EINTR;) taken = sys::TakeSignal(ours_);
    sys::ChangeMask(SIG_SETMASK, before_, nullptr);
  }

 private:
  sys::Signals ours_ = sys::SignalBit(SIGPIPE) | sys::SignalBit(SIGXFSZ);
  sys::Signals before_ = 0;
};

// The one line that the recorder may write to stderr: `flaky: ` and all added phrases.
class Warning {
 public:
  // Remembers which file stderr is, because a test may close it and open another file in its place.
  void Prepare() { known_ = sys::StatusOf(STDERR_FILENO, stderr_) == 0; }

  void Silence() { silent_ = true; }

  // Adds a phrase. Paths, settings and what a delivery says may contain anything, so the phrase is made harmless for a
  // terminal, for the log of a CI system and for ctest (warning_text.h).
  void Add(std::initializer_list<std::string_view> pieces) {
    if (!text_.empty()) text_ += "; ";
    for (const std::string_view piece : pieces) AppendHarmless(text_, piece);
  }

  // Writes the line, unless there is no phrase, a line was already written, stderr is now another file, or stderr would
  // block.
  void Write() {
    if (text_.empty() || silent_ || written_ || !known_) return;
    sys::Status now;
    if (sys::StatusOf(STDERR_FILENO, now) != 0 || now.device != stderr_.device || now.inode != stderr_.inode) return;
    sys::Watched ready = {STDERR_FILENO, sys::kWritable, 0};
    if (sys::Poll(&ready, 1, 100) != 1 || (ready.found & sys::kWritable) == 0) return;
    written_ = true;
    char begin[] = "flaky: ", end[] = "\n";
    const iovec line[] = {{begin, sizeof begin - 1}, {const_cast<char*>(text_.c_str()), text_.view().size()}, {end, 1}};
    const WriteSignalsBlocked blocked;
    sys::WriteVector(STDERR_FILENO, line, 3);  // if it fails, there is nowhere else to report it
  }

 private:
  static constexpr std::size_t kLongestLine = 1024;

  FixedText<kLongestLine> text_;
  sys::Status stderr_;
  bool known_ = false;
  bool silent_ = false;
  bool written_ = false;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_WARNING_H_
