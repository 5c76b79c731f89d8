#ifndef FLAKY_RECORDER_DELIVERY_H_
#define FLAKY_RECORDER_DELIVERY_H_

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "child_process.h"
#include "errors.h"
#include "fixed_text.h"
#include "settings.h"
#include "warning.h"

#ifndef FLAKY_RECORDER_PROGRAM
#define FLAKY_RECORDER_PROGRAM ""
#endif

// Starts `flaky deliver --quiet` when the test program ends, and waits for it in bounded time.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// The environment at the start of the test program; tests may change the program's own.
class EnvironmentCopy {
 public:
  // Copies the current environment. Returns false if there is not enough memory.
  bool Take() {
    std::free(entries_);
    std::size_t count = 1, bytes = 0;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry, ++count)
      bytes += std::strlen(*entry) + 1;
    entries_ = static_cast<char**>(std::malloc(count * sizeof(char*) + bytes));
    if (entries_ == nullptr) return false;
    char* text = reinterpret_cast<char*>(entries_ + count);
    for (std::size_t at = 0; at + 1 < count; ++at) {
      const std::size_t size = std::strlen(environ[at]) + 1;
      entries_[at] = static_cast<char*>(std::memcpy(text, environ[at], size));
      text += size;
    }
    entries_[count - 1] = nullptr;
    return true;
  }

  char** entries() const { return entries_; }

  std::string_view Get(std::string_view name) const {
    for (char** entry = entries_; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view text(*entry);
      if (text.size() > name.size() && text[name.size()] == '=' && text.substr(0, name.size()) == name) {
        return text.substr(name.size() + 1);
      }
    }
    return {};
  }

 private:
  char** entries_ = nullptr;
};

// What must be remembered from the program's start until the delivery at its end.
struct DeliveryPlan {
  EnvironmentCopy environment;
  Path cwd;
  Path spool;
  std::int64_t timeout_s = 0;
};

inline bool IsProgram(const char* path) {
  struct stat status = {};
  return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
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

// Finds the program to start. If FLAKY_TESTS_PROGRAM is set, only that; otherwise the one that the recorder was
// installed or built with, otherwise `flaky` in PATH. Returns false and adds a warning if it finds no program.
inline bool FindProgram(const DeliveryPlan& plan, Path& program, Warning& warning) {
  const std::string_view search = plan.environment.Get("PATH");
  if (const std::string_view set = plan.environment.Get(kProgram.name); !set.empty()) {
    if (set.find('/') == set.npos) {
      if (FindInPath(set, search, plan.cwd, program)) return true;
    } else {
      program.Clear();
      if (set[0] != '/') (program += plan.cwd.view()) += "/";
      program += set;
      if (program.complete() && IsProgram(program.c_str())) return true;
    }
    warning.Add({"invalid FLAKY_TESTS_PROGRAM `", set, "`; expected an executable file"});
    return false;
  }
  program.Clear();
  program += FLAKY_RECORDER_PROGRAM;
  if (!program.empty() && IsProgram(program.c_str())) return true;
  if (FindInPath("flaky", search, plan.cwd, program)) return true;
  warning.Add({"the program `flaky` was not found; add it to PATH or set FLAKY_TESTS_PROGRAM"});
  return false;
}

// Delivers the journals in the spool, within the plan's time. If it fails, the reason is added to the warning and the
// journals stay in the spool.
inline void Deliver(const DeliveryPlan& plan, Warning& warning) {
  const auto journal_stays = [&] {
    warning.Add({"the results stay in ", plan.spool.view(), " until the next `flaky` command delivers them"});
  };
  Path program;
  if (!FindProgram(plan, program, warning)) return journal_stays();

  Pipe messages;
  pid_t child = -1;
  int error = messages.error();
  char deliver[] = "deliver", quiet[] = "--quiet";
  char* const arguments[] = {const_cast<char*>(program.c_str()), deliver, quiet, nullptr};
  if (error == 0) error = StartProgram(arguments, plan.environment.entries(), plan.cwd, messages, child);
  if (error != 0) {
    warning.Add({"cannot start ", program.view(), ": ", ErrorText(error)});
    return journal_stays();
  }
  messages.CloseWriting();

  const Deadline deadline(plan.timeout_s);
  FixedText<512> line;
  int status = 0;
  ReadFirstLine(messages.reading(), deadline, line);
  // The end of its stderr does not tell whether the child has ended: it may have closed stderr and still be working, or
  // it may have ended and left processes that keep stderr open.
  const ChildEnd end = WaitForChild(child, deadline, status);
  if (end == ChildEnd::kRunning) {
    kill(child, SIGKILL);
    WaitForChild(child, Deadline(1), status);
    char digits[20];
    warning.Add({"`flaky deliver` did not end within ", DecimalText(plan.timeout_s, digits),
                 " s (FLAKY_TESTS_DELIVERY_TIMEOUT)"});
    return journal_stays();
  }
  std::string_view said = line.view();
  if (constexpr std::string_view kOurs = "flaky: "; said.substr(0, kOurs.size()) == kOurs)
    said.remove_prefix(kOurs.size());
  if (!said.empty()) return warning.Add({said});
  if (end != ChildEnd::kKnown || status == 0) return;
  char digits[20];
  if (WIFSIGNALED(status)) {
    warning.Add({"`flaky deliver` was killed by signal ", DecimalText(WTERMSIG(status), digits)});
  } else {
    warning.Add({"`flaky deliver` failed with exit code ", DecimalText(WEXITSTATUS(status), digits)});
  }
  journal_stays();
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_DELIVERY_H_
