// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_PIPE_H_
#define FLAKY_RECORDER_PIPE_H_

#include <fcntl.h>

#include "process_calls.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// A pipe whose ends are closed on exec and have numbers above 3.
class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (const long error = sys::MakePipe(ends, O_CLOEXEC); error < 0) {
      error_ = static_cast<int>(-error);
      return;
    }
    for (int at = 0; at < 2; ++at) {
      const long end = ends[at] >= kLeast ? ends[at] : sys::DuplicateAbove(ends[at], kLeast);
      if (end < 0) error_ = static_cast<int>(-end);
      ends_[at] = static_cast<int>(end);
      if (end != ends[at]) sys::Close(ends[at]);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    CloseEnd(0);
    CloseEnd(1);
  }
  int error() const { return error_; }
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void CloseWriting() { CloseEnd(1); }

 private:
  static constexpr int kLeast = 4;
  void CloseEnd(int at) {
    if (ends_[at] >= 0) sys::Close(ends_[at]);
    ends_[at] = -1;
  }
  int ends_[2] = {-1, -1};
  int error_ = 0;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_PIPE_H_
