// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_FIRST_LINE_H_
#define FLAKY_RECORDER_FIRST_LINE_H_

#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "fixed_text.h"
#include "process_calls.h"

// Waits in bounded time for what a program says.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

inline std::int64_t NowMilliseconds() {
  sys::Time time = {};
  sys::ClockGetTime(CLOCK_MONOTONIC, time);
  return time.seconds * 1000 + time.nanoseconds / 1000000;
}

class Deadline {
 public:
  explicit Deadline(std::int64_t milliseconds) : begin_(NowMilliseconds()), length_(milliseconds) {}
  std::int64_t Passed() const { return NowMilliseconds() - begin_; }
  // Milliseconds, at most `most`.
  int Remaining(int most) const { return static_cast<int>(std::clamp<std::int64_t>(length_ - Passed(), 0, most)); }

 private:
  std::int64_t begin_, length_;
};

enum class Answer {
  kLine,  // a whole line, or what was written before the end
  kNone,  // the program has closed its end and has written nothing
  kLate,  // the deadline passed
};

// Reads the first line, without its end. Looks at least once, even if no time is left.
inline Answer ReadFirstLine(int fd, const Deadline& deadline, FixedText<512>& line) {
  constexpr int kLongest = 60000;
  for (;;) {
    const int wait_ms = deadline.Remaining(kLongest);
    sys::Watched ready = {fd, sys::kReadable, 0};
    const long count = sys::Poll(&ready, 1, wait_ms);
    if (count == 0 && wait_ms == 0) return Answer::kLate;
    if (count == 0 || count == -EINTR) continue;
    if (count < 0) return Answer::kLate;
    char buffer[512];
    const long got = sys::Read(fd, buffer, sizeof buffer);
    if (got == -EINTR) continue;
    if (got <= 0) return line.empty() ? Answer::kNone : Answer::kLine;
    const std::string_view text(buffer, static_cast<std::size_t>(got));
    line += text.substr(0, text.find('\n'));
    if (text.find('\n') != text.npos || !line.complete()) return Answer::kLine;
  }
}

inline constexpr std::int64_t kNever = std::int64_t{1} << 40;

// Waits for the end of a child, also of one whose exit signal is not SIGCHLD. In growing steps if the
// kernel, or valgrind, does not know pidfd_open.
inline void AwaitEnd(pid_t child, std::int64_t milliseconds, bool in_valgrind) {
  constexpr int kLongestStep = 20, kLongest = 60000;
  constexpr long kOpenPidFd = 434;  // the same on every processor
  const Deadline deadline(milliseconds);
  const int fd = in_valgrind ? -1 : static_cast<int>(RawCall(kOpenPidFd, child, 0));
  int status = 0;
  for (int step_ms = fd < 0 ? 1 : kLongest; sys::Wait(child, status, WNOHANG | __WALL) == 0;) {
    const int wait_ms = deadline.Remaining(step_ms);
    if (wait_ms == 0) break;
    sys::Watched ended = {fd, sys::kReadable, 0};
    sys::Poll(&ended, 1, wait_ms);
    if (fd < 0) step_ms = std::min(step_ms * 2, kLongestStep);
  }
  if (fd >= 0) sys::Close(fd);
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_FIRST_LINE_H_
