// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_GROUP_DELIVERY_H_
#define FLAKY_RECORDER_GROUP_DELIVERY_H_

#include <fcntl.h>
#include <sys/file.h>

#include <string_view>

#include "child_process.h"
#include "delivery.h"
#include "fixed_text.h"
#include "process_facts.h"
#include "system_calls.h"
#include "warning.h"

// Under ctest, test programs do not deliver. One of them starts a process that delivers after ctest has ended.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns `PID-START`, which identifies the ctest process for `flaky deliver --after-ctest`.
inline FixedText<64> CtestName(const ProcessIdentity& ctest) {
  char text[64];
  char* end = AppendNumber(text, ctest.pid);
  *end++ = '-';
  end = AppendNumber(end, ctest.start);
  FixedText<64> name;
  name += std::string_view(text, static_cast<std::size_t>(end - text));
  return name;
}

// Returns a descriptor of the mark of this ctest in the spool, locked, or -1 if another process has it locked: that one
// waits for the end of ctest. The lock lasts as long as a process holds the descriptor, so one that is killed gives it
// up.
inline int TakeMark(DeliveryPlan& plan) {
  Path& mark = plan.path;
  mark.Clear();
  ((mark += plan.spool.view()) += "/.ctest-") += plan.ctest.view();
  if (!mark.complete()) return -1;
  const long opened = sys::Open(mark.c_str(), O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (opened < 0) return -1;
  int fd = static_cast<int>(opened);
  if (RawCall(SYS_flock, fd, LOCK_EX | LOCK_NB) < 0) {
    sys::Close(fd);
    return -1;
  }
  constexpr int kLeast = 4;  // what Launch::kept must be
  if (fd < kLeast) {
    const long higher = sys::DuplicateAbove(fd, kLeast);
    sys::Close(fd);
    fd = static_cast<int>(higher);
  }
  return fd;
}

// Starts `flaky deliver --after-ctest`, unless it runs already. It inherits the lock. Returns false if it cannot be
// started. That is not reported in the middle of the user's tests: the next test program tries again, and the next
// `flaky` command delivers.
inline bool DeliverAfterCtest(DeliveryPlan& plan, Parent parent) {
  const int mark = TakeMark(plan);
  if (mark < 0) return true;
  Warning unreported;
  int error = FindProgram(plan, unreported) ? 0 : ENOENT;
  if (error == 0) {
    char deliver[] = "deliver", after[] = "--after-ctest";
    char* const arguments[] = {const_cast<char*>(plan.path.c_str()), deliver, after,
                               const_cast<char*>(plan.ctest.c_str()), nullptr};
    Launch launch;
    launch.arguments = arguments;
    launch.environment = plan.environment.entries();
    if (!plan.cwd.empty()) launch.folder = plan.cwd.c_str();
    launch.kept = mark;
    launch.in_valgrind = IsInValgrind(plan);
    error = StartProgram(launch, parent);
    LeaveInBetween(launch, 0);
  }
  sys::Close(mark);
  return error == 0;
}

// Called at the start of a test program under this ctest. The process that waits for the end of ctest also watches how
// test programs die, so it is started before the first test; and as a child of ctest, so that no test program has had a
// child. ctest waits for no process but those it has started. Another program of this name may not, so the variable
// that ctest sets for its tests must be there. Otherwise EndUnderCtest starts the process.
inline void BeginUnderCtest(const ProcessIdentity& ctest, DeliveryPlan& plan) {
  plan.ctest.Clear();
  if (plan.timeout_s == 0) return;
  plan.ctest += CtestName(ctest).view();
  const bool is_parent = ctest.pid == sys::GetParentPid();
  if (is_parent && !TextIn(environ, "CTEST_INTERACTIVE_DEBUG_MODE").empty() && DeliverAfterCtest(plan, Parent::kOurs)) {
    plan.ctest.Clear();
  } else if (!plan.environment.Take()) {
    plan.ctest.Clear();
  }
}

// Called at the end of every test program.
inline void EndUnderCtest(DeliveryPlan& plan) {
  if (!plan.ctest.empty()) DeliverAfterCtest(plan, Parent::kNobody);
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_GROUP_DELIVERY_H_
