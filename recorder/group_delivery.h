#ifndef FLAKY_RECORDER_GROUP_DELIVERY_H_
#define FLAKY_RECORDER_GROUP_DELIVERY_H_

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <string_view>

#include "child_process.h"
#include "delivery.h"
#include "fixed_text.h"
#include "process_facts.h"
#include "warning.h"

// Under ctest, test programs do not deliver. The first of them starts a process that delivers after ctest has ended.
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

// Returns true for exactly one of the test programs under this ctest: the first to call it. It creates an empty file in
// the spool, which `flaky deliver --after-ctest` removes.
inline bool IsFirstUnder(const ProcessIdentity& ctest, const Path& spool) {
  Path mark = spool;
  (mark += "/.ctest-") += CtestName(ctest).view();
  if (!mark.complete()) return false;
  const int fd = open(mark.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  close(fd);
  return true;
}

// Starts `flaky deliver --after-ctest`, which detaches itself from this process and its ctest at once. Errors are not
// reported in the middle of the user's tests; the next `flaky` command delivers in that case.
inline void DeliverAfter(const ProcessIdentity& ctest, DeliveryPlan& plan) {
  Warning unreported;
  Path program;
  if (!plan.environment.Take() || !FindProgram(plan, program, unreported)) return;
  Pipe messages;
  if (messages.error() != 0) return;
  char deliver[] = "deliver", after[] = "--after-ctest";
  const FixedText<64> name = CtestName(ctest);
  char* const arguments[] = {const_cast<char*>(program.c_str()), deliver, after, const_cast<char*>(name.c_str()),
                             nullptr};
  pid_t child = -1;
  if (StartProgram(arguments, plan.environment.entries(), plan.cwd, messages, child) != 0) return;
  constexpr std::int64_t kMostSeconds = 2;
  int status = 0;
  if (WaitForChild(child, Deadline(kMostSeconds), status) == ChildEnd::kRunning) kill(child, SIGKILL);
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_GROUP_DELIVERY_H_
