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

// `flaky deliver --quiet`, started when the test program ends and waited for in bounded time.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// The environment as it was at the start of the test program: tests change theirs.
class EnvironmentCopy {
 public:
  // False when there is no memory.
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

// Looks `name` up in the folders of `search`, which a colon separates. Relative folders are those of `cwd`.
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

// The program to start: what the user set and nothing else; else the one that this was built for; else `flaky` in
// PATH. False, with a warning, where there is none.
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
    warning.Add({"FLAKY_TESTS_PROGRAM is \"", set, "\", which is no program that can be started"});
    return false;
  }
  program.Clear();
  program += FLAKY_RECORDER_PROGRAM;
  if (!program.empty() && IsProgram(program.c_str())) return true;
  if (FindInPath("flaky", search, plan.cwd, program)) return true;
  warning.Add({"the program `flaky` was not found; put it into PATH or set FLAKY_TESTS_PROGRAM"});
  return false;
}

// Delivers what is in the spool, within the plan's time. What went wrong is added to the warning; the journal then
// stays.
inline void Deliver(const DeliveryPlan& plan, Warning& warning) {
  const auto journal_stays = [&] {
    warning.Add({"what was recorded stays in ", plan.spool.view(), " until the next `flaky` command"});
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
    warning.Add({program.view(), " cannot be started: ", ErrorText(error)});
    return journal_stays();
  }
  messages.CloseWriting();

  const Deadline deadline(plan.timeout_s);
  FixedText<512> line;
  int status = 0;
  ReadFirstLine(messages.reading(), deadline, line);
  // A child that has closed its stderr may still be at work, and one that is gone may have left others that hold it
  // open.
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
    warning.Add({"`flaky deliver` was ended by signal ", DecimalText(WTERMSIG(status), digits)});
  } else {
    warning.Add({"`flaky deliver` ended with exit code ", DecimalText(WEXITSTATUS(status), digits)});
  }
  journal_stays();
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_DELIVERY_H_
