// SPDX-License-Identifier: MIT
#include "spool/spool_scan.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <new>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "spool/grouping.h"
#include "spool/journal.h"
#include "spool/journal_header.h"
#include "spool/journal_notes.h"
#include "spool/journal_parser.h"
#include "spool/spool.h"

namespace flaky {
namespace {

// How long a journal may stay unchanged before it counts as abandoned, if its writer cannot be observed from here.
constexpr int64_t kAbandonedAfter = kMicrosPerDay;
constexpr int64_t kHeaderlessAfter = 3600 * kMicrosPerSecond;

// A process with a time limit is killed soon after the limit.
int64_t AbandonedAfter(const Journal& journal) {
  constexpr int64_t kMostGrace = 600, kMostLimit = kAbandonedAfter / kMicrosPerSecond - kMostGrace;
  if (!journal.time_limit_s || *journal.time_limit_s > kMostLimit) return kAbandonedAfter;
  return (std::max<int64_t>(0, *journal.time_limit_s) + kMostGrace) * kMicrosPerSecond;
}

int64_t Age(const struct stat& status, Timestamp now) {
  return now.micros - (status.st_mtim.tv_sec * kMicrosPerSecond + status.st_mtim.tv_nsec / 1000);
}

class Scanner {
 public:
  Scanner(const UniqueFd& spool, const UniqueFd& outbox, const std::string& complete)
      : spool_(spool), outbox_(outbox), complete_(complete), now_(Timestamp::Now()) {}

  SpoolScan Scan() && {
    LookForLoose(spool_, "");
    if (outbox_) LookIntoOutbox();
    for (auto& [group, shards] : shards_) AddShards(group, shards);
    for (auto& [run_id, run] : runs_) LetOneDecide(run);
    for (const RunningCommand& command : scan_.commands) {
      const auto run = runs_.find(command.run_id);
      if (run == runs_.end()) continue;
      for (auto& [part, decides] : run->second.decides) decides = {"", true, command.cwd, "", "", std::nullopt};
    }
    for (auto& [run_id, run] : runs_) scan_.runs.push_back(std::move(run));
    const auto order = [](const PendingRun& run) { return std::tie(run.started_at, run.run_id); };
    std::ranges::sort(scan_.runs, {}, order);
    for (auto& [run_id, run] : live_) scan_.live.push_back(std::move(run));
    std::ranges::sort(scan_.live, {}, [](const LiveRun& run) { return std::tie(run.started_at, run.run_id); });
    return std::move(scan_);
  }

 private:
  struct Shard {
    std::string run_id;
    Timestamp started_at;
    LooseJournal journal;
    DecidingJournal decides;
  };
  enum class State { kReady, kRunning, kUnknown };
  struct Shards {
    bool all_ready = true;
    std::vector<Shard> journals;
  };

  void LookIntoOutbox() {
    for (const std::string& name : NamesIn(outbox_)) {
      if (name.starts_with('.') && name.ends_with(".done")) {
        scan_.leftovers.push_back(name);
      } else if (name.starts_with('.') && name.ends_with(".filling")) {
        if (const UniqueFd folder = OpenFolderAt(outbox_, name)) LookForLoose(folder, name);
        scan_.leftovers.push_back(name);
      } else if (IsId(name)) {
        LookIntoPart(name);
      }
    }
  }

  void LookForLoose(const UniqueFd& folder, const std::string& folder_name) {
    for (const std::string& name : NamesIn(folder)) {
      const auto journal_id = JournalIdOf(name);
      if (!journal_id) continue;
      const SpoolFile where{folder_name, name};
      const auto file = OpenFileAt(folder, name);
      if (!file) {
        if (errno != ENOENT && errno != ELOOP) AddUnread(where);
        continue;
      }
      const auto journal = HeaderOf(*file, where);
      if (!journal) continue;
      if (journal->journal_id != *journal_id) {
        scan_.damaged.push_back({where, "the journal's id does not match the file name"});
        continue;
      }
      const RunGrouping grouping = GroupingOf(*journal);
      const State state = StateOf(*file, *journal, grouping);
      const bool ready = state == State::kReady;
      if (state == State::kRunning) AddLive(grouping.run_id, *journal);
      if (grouping.is_shard) {
        Shards& shards = shards_[grouping.group];
        shards.all_ready &= ready;
        shards.journals.push_back(
            {grouping.run_id, journal->started_at, {where, *journal_id}, DecidingOf(*journal, where)});
      } else if (!ready && journal->is_command) {
        scan_.commands.push_back({name, grouping.run_id, journal->started_at, journal->cwd});
      } else if (!ready) {
        ++(state == State::kRunning ? scan_.running : scan_.unknown);
      } else {
        RunOf(grouping.run_id, journal->started_at, grouping.group, DecidingOf(*journal, where))
            .loose[grouping.group]
            .push_back({where, *journal_id});
      }
    }
  }

  void AddLive(const std::string& run_id, const Journal& journal) {
    const auto [found, is_new] = live_.try_emplace(run_id, LiveRun{run_id, journal.started_at, journal});
    LiveRun& run = found->second;
    if (is_new) return;
    const bool is_first = journal.started_at < run.started_at;
    run.started_at = std::min(run.started_at, journal.started_at);
    if (journal.is_command || (is_first && !run.first.is_command)) run.first = journal;
  }

  // Notes a file that could not be opened or read, for the reason in errno.
  void AddUnread(const SpoolFile& where) {
    const std::string reason = "cannot be read: " + std::generic_category().message(errno);
    (IsUnreadable(errno) ? scan_.damaged : scan_.unopened).push_back({where, reason});
  }

  // Shards wait for each other. When the last one has ended, all are delivered.
  void AddShards(const std::string& group, Shards& shards) {
    std::vector<Shard>& journals = shards.journals;
    if (!shards.all_ready) {
      scan_.running += static_cast<int64_t>(journals.size());
      return;
    }
    std::ranges::sort(journals, {}, [](const Shard& shard) { return shard.journal.journal_id; });
    const LooseJournal& first = journals.front().journal;
    const std::string& part = journals.size() == 1 ? first.journal_id : group;
    for (const Shard& shard : journals) {
      RunOf(journals.front().run_id, shard.started_at, part, shard.decides).loose[part].push_back(shard.journal);
    }
  }

  // Returns the journal with only its header; nullopt if it cannot be delivered, which is noted in the scan.
  std::optional<Journal> HeaderOf(const OpenedFile& file, const SpoolFile& where) {
    const auto head = ReadHead(file);
    if (!head) {
      AddUnread(where);
      return std::nullopt;
    }
    try {
      return ParseJournalHeader(*head);
    } catch (const JournalError& error) {
      const bool old = Age(file.status, now_) > kHeaderlessAfter;
      if (error.kind() == JournalError::Kind::kNewer) {
        scan_.newer.push_back({where, error.what()});
      } else if (error.kind() == JournalError::Kind::kDamaged) {
        scan_.damaged.push_back({where, error.what()});
      } else if (!old) {
        ++scan_.running;
      } else if (head->empty() || head->front() == '\0') {
        scan_.headerless.push_back(where);
      } else {
        scan_.damaged.push_back({where, error.what()});
      }
      return std::nullopt;
    }
  }

  State StateOf(const OpenedFile& file, const Journal& journal, const RunGrouping& grouping) {
    const bool complete = !complete_.empty() && grouping.ctest_group == complete_;
    if (grouping.is_under_ctest && !complete) {
      const ProcessId& ctest = journal.ctest;
      const std::pair key{ctest.pid, ctest.boot_id + ctest.host + ctest.pid_ns + ctest.pid_start + ctest.output_base};
      const auto [known, is_new] = alive_.try_emplace(key);
      if (is_new) known->second = IsAlive(ctest);
      if (const State state = StateOf(known->second, journal, file); state != State::kReady) return state;
    }
    // The order matters only for speed: the bytes at the end are cheaper to read than /proc.
    if (HasEndLine(file)) return State::kReady;
    return StateOf(IsWriterAlive(journal.writer, file.descriptor.get()), journal, file);
  }

  State StateOf(Alive alive, const Journal& journal, const OpenedFile& file) const {
    if (alive == Alive::kNo) return State::kReady;
    if (alive == Alive::kYes) return State::kRunning;
    return Age(file.status, now_) > AbandonedAfter(journal) ? State::kReady : State::kUnknown;
  }

  // A sealed part belongs to the run of its first journal.
  void LookIntoPart(const std::string& part_id) {
    const UniqueFd folder = OpenFolderAt(outbox_, part_id);
    if (!folder) return;
    std::vector<std::string> names = NamesIn(folder);
    std::erase_if(names, [](const std::string& name) { return !JournalIdOf(name); });
    if (names.empty()) {
      scan_.leftovers.push_back(part_id);
      return;
    }
    std::ranges::sort(names);
    std::string reason;
    for (const std::string& name : names) {
      const auto file = OpenFileAt(folder, name);
      const auto head = file ? ReadHead(*file) : std::nullopt;
      if (!head) {
        const int error = errno;
        AddUnread({part_id, name});
        // Without an unreadable journal, the part is a different one.
        if (IsUnreadable(error)) scan_.damaged.back().file.name.clear();
        return;
      }
      try {
        const Journal journal = ParseJournalHeader(*head);
        RunOf(GroupingOf(journal).run_id, journal.started_at, part_id, DecidingOf(journal, {part_id, name}))
            .sealed.push_back(part_id);
        return;
      } catch (const JournalError& error) {
        reason = error.what();
        if (error.kind() == JournalError::Kind::kNewer) {
          scan_.newer.push_back({{part_id, ""}, reason});
          return;
        }
      }
    }
    scan_.damaged.push_back({{part_id, ""}, reason});
  }

  static DecidingJournal DecidingOf(const Journal& journal, const SpoolFile& where) {
    return {journal.journal_id,
            journal.is_command,
            journal.cwd,
            journal.is_command ? "" : journal.ProgramPath(),
            CTestGroup(journal.ctest, ""),
            journal.bazel_target.empty() ? std::nullopt : std::optional(where)};
  }

  // Returns true if the first comes before the other.
  static bool Precedes(const DecidingJournal& one, const DecidingJournal& other) {
    return one.is_command != other.is_command ? one.is_command : one.journal_id < other.journal_id;
  }

  // The command of a run decides for all of it, and one journal of each ctest for its parts.
  static void LetOneDecide(PendingRun& run) {
    std::map<std::string, DecidingJournal> of_ctests;
    std::optional<DecidingJournal> command;
    for (const auto& [part, decides] : run.decides) {
      if (decides.is_command && (!command || Precedes(decides, *command))) command = decides;
      if (decides.ctest_group.empty()) continue;
      const auto [known, is_new] = of_ctests.try_emplace(decides.ctest_group, decides);
      if (!is_new && Precedes(decides, known->second)) known->second = decides;
    }
    for (auto& [part, decides] : run.decides) {
      if (command) {
        decides = *command;
      } else if (!decides.ctest_group.empty()) {
        decides = of_ctests.at(decides.ctest_group);
      }
    }
  }

  PendingRun& RunOf(const std::string& run_id, Timestamp started_at, const std::string& part,
                    const DecidingJournal& decides) {
    const auto [found, is_new] = runs_.try_emplace(run_id);
    PendingRun& run = found->second;
    run.run_id = run_id;
    const auto [known, is_first] = run.decides.try_emplace(part, decides);
    if (!is_first && Precedes(decides, known->second)) known->second = decides;
    run.started_at = is_new ? started_at : std::min(run.started_at, started_at);
    return run;
  }

  const UniqueFd& spool_;
  const UniqueFd& outbox_;
  const std::string& complete_;
  const Timestamp now_;
  SpoolScan scan_;
  std::map<std::string, PendingRun> runs_;
  std::map<std::string, LiveRun> live_;
  std::map<std::string, Shards> shards_;                    // by RunGrouping::group
  std::map<std::pair<int64_t, std::string>, Alive> alive_;  // ctests
};

}  // namespace

int64_t KeepWanted(SpoolScan& scan,
                   const std::function<bool(const std::string& run_id, const DecidingJournal& decides)>& is_wanted) {
  int64_t removed = 0;
  for (PendingRun& run : scan.runs) {
    const auto is_refused = [&](const std::string& part) { return !is_wanted(run.run_id, run.decides.at(part)); };
    const size_t loose = std::erase_if(run.loose, [&](const auto& group) { return is_refused(group.first); });
    const size_t sealed = std::erase_if(run.sealed, is_refused);
    removed += loose + sealed > 0 ? 1 : 0;
  }
  std::erase_if(scan.runs, [](const PendingRun& run) { return run.loose.empty() && run.sealed.empty(); });
  return removed;
}

Journal ReadDeciding(const UniqueFd& spool, const UniqueFd& outbox, const DecidingJournal& decides) {
  Journal journal;
  if (!decides.of_bazel) {
    journal.cwd = decides.cwd;
    if (!decides.program.empty()) journal.args = {decides.program};
    return journal;
  }
  try {
    const SpoolFile& file = *decides.of_bazel;
    const UniqueFd folder = file.folder.empty() ? UniqueFd() : OpenFolderAt(outbox, file.folder);
    const auto opened = OpenFileAt(file.folder.empty() ? spool : folder, file.name);
    FailureBudget budget;
    auto whole = opened ? ReadJournal(opened->descriptor, budget) : std::nullopt;
    if (whole) return std::move(*whole);
  } catch (const JournalError&) {  // the delivery moves it to rejected/
  } catch (const std::bad_alloc&) {
  }
  return journal;
}

std::vector<LiveRun> LiveRunsIn(const std::string& spool) {
  if (!HasPending(spool)) return {};
  const UniqueFd folder = OpenFolder(spool);
  if (!folder) return {};
  return ScanSpool(folder, OpenFolderAt(folder, OwnName(folder, "outbox")), "").live;
}

SpoolScan ScanSpool(const UniqueFd& spool, const UniqueFd& outbox, const std::string& complete) {
  return Scanner(spool, outbox, complete).Scan();
}

}  // namespace flaky
