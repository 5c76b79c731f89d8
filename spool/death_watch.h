// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_DEATH_WATCH_H_
#define FLAKY_SPOOL_DEATH_WATCH_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "spool/journal.h"
#include "spool/spool_files.h"

namespace flaky {

// The time limits that the parents of processes have set for them.
class TimeLimits {
 public:
  virtual ~TimeLimits() = default;

  // Called for each process that has run for a tenth of a second, while it and most likely its parent are still
  // running. Returns the process from whose start the limit counts: this one, or a launcher above it.
  virtual int64_t Meet(const Journal& header) = 0;

  // Returns the limit of the process of this journal; nullopt if none is known. Called after the process has ended. Its
  // parent may have ended, too.
  virtual std::optional<std::chrono::microseconds> Of(const Journal& header) = 0;
};

// How the run of the watched programs ended: their ctest, or the command of a `flaky run`.
struct RunEnd {
  enum class Kind { kNormal, kInterrupted, kNotKnown };
  Kind kind = Kind::kNotKnown;
  std::string signal;  // kInterrupted: the signal, such as "SIGINT"; empty: not known
};

// Watches a spool while test programs write to it. If a program dies, it notes in the journal what cannot be found out
// later: when it died, and so how long the test had run; whether a time limit had expired; and whether the kernel was
// out of memory.
//
// A program that dies while the whole run is interrupted has not failed. So the watch also notes whether the run went
// on, or that it was interrupted.
//
// The kernel reports (inotify) when the last mapping of a journal goes away, so a program costs two events, and nothing
// while it runs. If inotify is not available, nothing is noted. A program that dies within the first milliseconds, or
// leaves behind processes that it forked, may be missed. Not thread-safe.
class DeathWatch {
 public:
  // Returns true for the journals that this watch handles, by their headers. No two watches may handle the same
  // journal.
  using IsOurs = std::function<bool(const Journal& header)>;

  // Begins with the journals that are already there. Does nothing if the spool is missing. `limits` must outlive this
  // object.
  DeathWatch(const std::filesystem::path& spool, IsOurs is_ours, TimeLimits& limits);

  // Watches until `descriptor` (-1: none) is readable, and then returns true, or until the time has passed, and then
  // returns false.
  bool UntilReadable(int descriptor, std::chrono::milliseconds most);

  // Handles once everything that has happened so far.
  void Look();

  // Handles everything for the last time, when the run has ended: notes for each program that died whether the run
  // ended in its own way. If it was interrupted, this waits at most `patience` for programs that are still ending.
  void End(const RunEnd& end, std::chrono::milliseconds patience);

 private:
  // A process that created its journal and has not closed it yet.
  struct Writer {
    std::chrono::steady_clock::time_point seen;
    bool met = false;
    std::optional<std::chrono::microseconds> started;  // since boot
  };

  bool IsBusy() const;
  void ReadEvents();
  std::optional<Journal> HeaderOf(const std::string& name) const;
  void MeetLongRunning();
  bool IsSettled(const std::string& name);
  void Note(const std::string& name, const Journal& header);
  // Notes that the run went on after the deaths that were noted long enough before `time`.
  void NoteContinued(std::chrono::steady_clock::time_point time);
  void NoteInterruption(const std::string& signal);
  bool HasRunning() const;

  const IsOurs is_ours_;
  TimeLimits& limits_;
  UniqueFd spool_;
  UniqueFd events_;
  const ProcessId here_;
  std::map<std::string, Writer> writers_;  // by the name of the journal
  std::set<std::string> suspects_;         // closed theirs, but were not yet seen to have ended
  std::map<std::string, std::chrono::steady_clock::time_point> dead_;  // when noted, until the run is seen to go on
  std::set<std::string> noted_;      // all deaths that were noted: writing the note looks like the end of a writer
  std::set<std::string> continued_;  // of these, after which the run went on
  int64_t kills_seen_ = 0;
  bool kernel_killed_ = false;  // since the previous call of Look
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_DEATH_WATCH_H_
