#ifndef FLAKY_CLI_OUTPUT_INTERRUPT_H_
#define FLAKY_CLI_OUTPUT_INTERRUPT_H_

namespace flaky {

// While an object exists, the first SIGINT or SIGTERM only makes Seen() true, so that work can stop at a safe point.
// The second one ends the process as usual. Only one object may exist at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // Returns whether a signal has arrived. Any thread may call it.
  static bool Seen();

  // Returns whether a signal arrived while the last guard existed, even after its destruction. The caller can find out
  // whether the work stopped because of a signal.
  static bool SeenByLast();
};

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_INTERRUPT_H_
