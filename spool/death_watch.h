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

// How long processes may run by the will of whoever started them.
class TimeLimits {
 public:
  virtual ~TimeLimits() = default;

  // Told of each process that lives for a tenth of a second, while it does, and with it its parent most likely.
  virtual void Meet(const Journal& header) = 0;

  // The limit of the process of this journal; absent where none is known. Asked when the process is gone, and its
  // parent perhaps, too.
  virtual std::optional<std::chrono::microseconds> Of(const Journal& header) = 0;
};

// Looks at a spool while test programs write to it, and notes in the journals of those that die when that was, which
// nobody can tell later: how long the test had run, whether a time limit was up, whether the kernel was out of memory.
//
// The kernel tells (inotify) when a journal's last mapping goes, so a program costs two events, and nothing while it
// runs. Where it does not, nothing is noted. A program that dies within the first milliseconds, or leaves
// processes behind that it forked, may be missed. For one thread.
class DeathWatch {
 public:
  // Which journals, by their headers, are looked after here: no two watches may look after the same.
  using IsOurs = std::function<bool(const Journal& header)>;

  // Begins with the journals that are there. A spool that is missing is not watched. `limits` must live as long as
  // this.
  DeathWatch(const std::filesystem::path& spool, IsOurs is_ours, TimeLimits& limits);

  // Goes on looking until there is something to be read from `descriptor` (-1: none), or this time has passed; false
  // for the latter.
  bool UntilReadable(int descriptor, std::chrono::milliseconds most);

  // Looks once, at all that has happened.
  void Look();

 private:
  // A process that made its journal, and has not let go of it yet.
  struct Writer {
    std::chrono::steady_clock::time_point seen;
    bool met = false;
    std::optional<std::chrono::microseconds> started;  // since boot
  };

  bool IsBusy() const;
  void ReadEvents();
  std::optional<Journal> HeaderOf(const std::string& name) const;
  void MeetThoseThatStay();
  bool IsSettled(const std::string& name);
  void Note(const std::string& name, const Journal& header);

  const IsOurs is_ours_;
  TimeLimits& limits_;
  UniqueFd spool_;
  UniqueFd events_;
  const ProcessId here_;
  std::map<std::string, Writer> writers_;  // by the name of the journal
  std::set<std::string> suspects_;         // have let go of theirs, and were not yet seen to be gone
  int64_t kills_seen_ = 0;
  bool kernel_killed_ = false;  // since the look before this one
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_DEATH_WATCH_H_
