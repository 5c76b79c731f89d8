// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_DELIVERY_H_
#define FLAKY_RECORDER_DELIVERY_H_

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "child_process.h"
#include "environment_copy.h"
#include "errors.h"
#include "first_line.h"
#include "fixed_text.h"
#include "pipe.h"
#include "settings.h"
#include "system_calls.h"
#include "warning.h"

#ifndef FLAKY_RECORDER_PROGRAM
#define FLAKY_RECORDER_PROGRAM ""
#endif

// Starts `flaky deliver --quiet` when the test program ends, and waits a moment for it. The delivery goes on without
// the test program if it takes longer.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// What must be remembered from the program's start until the delivery at its end.
struct DeliveryPlan {
  EnvironmentCopy environment;
  Path cwd;
  Path spool;
  FixedText<64> journal;       // the name of its file
  std::int64_t timeout_s = 0;  // of the delivery; 0: none
  std::int64_t wait_ms = 0;    // for the delivery
  bool waits_always = false;   // even while the program has other threads
  FixedText<64> ctest;         // PID-START of the ctest, if this program has to start what waits for its end
  Path path;                   // of the program; it would be too large for a small stack
};

inline bool IsProgram(const char* path) {
  sys::Status status;
  return sys::StatusOf(path, status) == 0 && S_ISREG(status.mode) && sys::Access(path, X_OK) == 0;
}

// Looks `name` up in the colon-separated folders of `search`. Relative ones are relative to `cwd`.
inline bool FindInPath(std::string_view name, std::string_view search, const Path& cwd, Path& program) {
  while (!search.empty()) {
    const std::string_view folder = search.substr(0, search.find(':'));
    search.remove_prefix(std::min(search.size(), folder.size() + 1));
    program.Clear();
    if (folder.empty() || folder[0] != '/') (program += cwd.view()) += "/";
    ((program += folder) += "/") += name;
    if (program.complete() && IsProgram(program.c_str())) return true;
  }
  return false;
}

// Finds the program to start, as plan.path. If FLAKY_TESTS_PROGRAM is set, only that; otherwise the one that the
// recorder was installed or built with, otherwise `flaky` in PATH. Returns false and adds a warning if it finds none.
inline bool FindProgram(DeliveryPlan& plan, Warning& warning) {
  Path& program = plan.path;
  char* const* const environment = plan.environment.entries();
  const std::string_view search = TextIn(environment, "PATH");
  if (const std::string_view set = Unwrapped(TextIn(environment, kProgram.name)); !set.empty()) {
    if (set.find('/') == set.npos) {
      if (FindInPath(set, search, plan.cwd, program)) return true;
    } else {
      program.Clear();
      if (set[0] != '/') (program += plan.cwd.view()) += "/";
      program += set;
      if (program.complete() && IsProgram(program.c_str())) return true;
    }
    // A text that is not a path may be a secret in the wrong place.
    const bool is_path = set.find('/') != set.npos && !LooksLikeAddress(set);
    warning.Add({"invalid FLAKY_TESTS_PROGRAM", is_path ? " `" : "", is_path ? set : "", is_path ? "`" : "",
                 "; expected an executable file"});
    return false;
  }
  program.Clear();
  program += FLAKY_RECORDER_PROGRAM;
  if (!program.empty() && IsProgram(program.c_str())) return true;
  if (FindInPath("flaky", search, plan.cwd, program)) return true;
  warning.Add({"the program `flaky` was not found; add it to PATH or set FLAKY_TESTS_PROGRAM"});
  return false;
}

// Returns true if this process certainly has no other thread. One that prints or aborts after the end of the tests must
// not get more time to do so because we wait.
inline bool IsOnlyThread() {
  const long fd = sys::Open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char buffer[512];
  const long got = sys::Read(static_cast<int>(fd), buffer, sizeof buffer);
  sys::Close(static_cast<int>(fd));
  if (got <= 0) return false;
  std::string_view rest(buffer, static_cast<std::size_t>(got));
  // The name of the program, in parentheses, is the second field. The number of threads is the 20th.
  const std::size_t name_end = rest.rfind(')');
  if (name_end == rest.npos) return false;
  rest.remove_prefix(name_end + 1);
  for (int field = 3; field <= 20; ++field) rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
  return rest.substr(0, rest.find(' ')) == "1";
}

inline bool IsInValgrind(const DeliveryPlan& plan) {
  return TextIn(plan.environment.entries(), "LD_PRELOAD").find("/vgpreload_") != std::string_view::npos;
}

inline bool IsInSpool(DeliveryPlan& plan) {
  plan.path.Clear();
  ((plan.path += plan.spool.view()) += "/") += plan.journal.view();
  sys::Status status;
  return sys::StatusOfLink(plan.path.c_str(), status) == 0;
}

// Adds to the warning what is wrong, if the delivery has said so in time, or has ended and left the journal.
inline void Understand(Answer answer, std::string_view line, std::int64_t passed_ms, DeliveryPlan& plan,
                       Warning& warning) {
  if (answer == Answer::kLate) return;
  if (!line.empty() && line[0] == kNotStarted) {
    int error = 0;
    std::from_chars(line.data() + 1, line.data() + line.size(), error);
    warning.Add({"cannot start ", plan.path.view(), ": ", ErrorText(error)});
  } else if (answer == Answer::kLine) {
    if (constexpr std::string_view kOurs = "flaky: "; line.substr(0, kOurs.size()) == kOurs)
      line.remove_prefix(kOurs.size());
    if (!line.empty()) warning.Add({line});
    return;
  } else if (!IsInSpool(plan)) {
    return;
  } else if (passed_ms >= plan.timeout_s * 1000) {
    char digits[20];
    warning.Add({"`flaky deliver` did not end within ", DecimalText(plan.timeout_s, digits),
                 " s (FLAKY_TESTS_DELIVERY_TIMEOUT)"});
  } else {
    warning.Add({"`flaky deliver` gave no answer"});
  }
  warning.Add({"the results stay in ", plan.spool.view(), " until the next `flaky` command delivers them"});
}

// Hands the journals in the spool to a delivery in its own session, and waits for its answer as long as the plan says.
// If it fails within that time, the reason is added to the warning and the journals stay in the spool. Later, the
// delivery itself keeps the reason for the next `flaky` command.
inline void Deliver(DeliveryPlan& plan, Warning& warning) {
  const bool waits = plan.wait_ms > 0 && (plan.waits_always || IsOnlyThread());
  if (!FindProgram(plan, warning)) {
    warning.Add({"the results stay in ", plan.spool.view(), " until the next `flaky` command delivers them"});
    return;
  }
  Pipe messages;
  int error = messages.error();
  char deliver[] = "deliver", quiet[] = "--quiet", answers[] = "--answer";
  char* const arguments[] = {const_cast<char*>(plan.path.c_str()), deliver, quiet, answers, nullptr};
  Launch launch;
  launch.arguments = arguments;
  launch.environment = plan.environment.entries();
  if (!plan.cwd.empty()) launch.folder = plan.cwd.c_str();
  launch.messages = messages.writing();
  launch.in_valgrind = IsInValgrind(plan);
  // The rest of a longer wait is one that signals can interrupt.
  constexpr int kMostPatience = 100;
  if (waits) launch.patience_ms = std::min<std::int64_t>(plan.wait_ms, kMostPatience);
  launch.seconds = plan.timeout_s;
  const Deadline deadline(waits ? plan.wait_ms : 0);
  if (error == 0) error = StartProgram(launch, Parent::kNobody);
  messages.CloseWriting();
  if (error != 0) {
    warning.Add({"cannot start ", plan.path.view(), ": ", ErrorText(error)});
    warning.Add({"the results stay in ", plan.spool.view(), " until the next `flaky` command delivers them"});
    return;
  }
  FixedText<512> line;
  const Answer answer = ReadFirstLine(messages.reading(), deadline, line);
  LeaveInBetween(launch, deadline.Remaining(kMostPatience));
  Understand(answer, line.view(), deadline.Passed(), plan, warning);
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_DELIVERY_H_
