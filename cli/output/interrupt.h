#ifndef FLAKY_CLI_OUTPUT_INTERRUPT_H_
#define FLAKY_CLI_OUTPUT_INTERRUPT_H_

namespace flaky {

// While one lives, the first SIGINT or SIGTERM only makes Seen() true, so that work can end at a safe place; the second
// one ends the process as usual. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // Any thread may ask.
  static bool Seen();

  // Whether the last guard saw one, also when it is gone: what ended may have ended for that.
  static bool SeenByLast();
};

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_INTERRUPT_H_
