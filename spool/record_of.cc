#include "spool/record_of.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "history/digest.h"
#include "history/merge.h"
#include "history/roster.h"

namespace flaky {
namespace {

std::string BaseName(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::string ProgramOf(const Journal& journal) {
  const std::string name = journal.args.empty() ? "" : BaseName(journal.args.front());
  return name.empty() ? "test program" : name;
}

// A source file as the history names it: relative to the repository where it lies below it.
std::string HistoryFile(std::string_view file, const std::filesystem::path& root) {
  if (file.empty()) return {};
  const std::filesystem::path path = std::filesystem::path(file).lexically_normal();
  if (root.empty() || !path.is_absolute()) return path.string();
  const std::filesystem::path relative = path.lexically_relative(root);
  const bool below = !relative.empty() && *relative.begin() != ".." && relative != ".";
  return below ? relative.string() : path.string();
}

// A word as a shell would have to be given it.
void AppendWord(std::string& line, std::string_view word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!line.empty()) line += ' ';
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    line += word;
    return;
  }
  line += '\'';
  for (const char c : word) {
    if (c == '\'') {
      line += R"('\'')";
    } else {
      line += c;
    }
  }
  line += '\'';
}

// "1 s", "0.25 s"
std::string SecondsText(int64_t micros) {
  std::string text = std::to_string(micros / kMicrosPerSecond);
  std::string fraction = std::to_string(kMicrosPerSecond + micros % kMicrosPerSecond).substr(1);
  fraction.resize(fraction.find_last_not_of('0') + 1);
  return text + (fraction.empty() ? "" : '.' + fraction) + " s";
}

std::string CommandLine(const Journal& journal) {
  std::string line;
  for (size_t i = 0; i < journal.args.size(); ++i)
    AppendWord(line, i == 0 ? BaseName(journal.args[0]) : journal.args[i]);
  return line;
}

std::string RuntimeVersion(const Journal& journal) {
  if (journal.compiler.empty() || journal.system.empty()) return journal.compiler + journal.system;
  return journal.compiler + ", " + journal.system;
}

std::string_view TrimNewlines(std::string_view text) {
  const size_t last = text.find_last_not_of("\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// What GoogleTest appends to a failure's message, behind what failed: where it was (SCOPED_TRACE), and the stack.
struct SplitMessage {
  std::string_view message;
  std::string_view trace;
};
SplitMessage SplitTrace(std::string_view text) {
  size_t cut = text.rfind("\nGoogle Test trace:\n");
  cut = std::min(cut, text.rfind("\nStack trace:\n"));
  if (cut == std::string_view::npos) return {TrimNewlines(text), {}};
  return {TrimNewlines(text.substr(0, cut)), TrimNewlines(text.substr(cut + 1))};
}

int64_t Millis(int64_t us) { return (us + 500) / 1000; }

bool IsFailure(const JournalFailure& failure) { return !failure.is_skip; }

// What became of one result. What the journal does not know, because it could not be written on, is no verdict.
enum class Verdict { kPassed, kFailed, kSkipped, kNone };

Verdict VerdictOf(const JournalResult& result, const Journal& journal) {
  const bool has_failures = std::ranges::any_of(result.failures, IsFailure);
  switch (result.outcome) {
    case JournalOutcome::kPassed:  // whatever failures it has had, it took them back
      return Verdict::kPassed;
    case JournalOutcome::kSkipped:
      return Verdict::kSkipped;
    case JournalOutcome::kNotRun:
      return has_failures ? Verdict::kFailed : Verdict::kNone;
    case JournalOutcome::kFailed:
    case JournalOutcome::kExited:
      return Verdict::kFailed;
    case JournalOutcome::kUnfinished:
      return journal.lost && !has_failures ? Verdict::kNone : Verdict::kFailed;
  }
  return Verdict::kNone;
}

// Whether the process is known to have ended inside of a test, which is then a failure of that test.
bool EndedInTest(const Journal& journal) {
  if (journal.results.empty() || journal.lost) return false;
  const JournalOutcome last = journal.results.back().outcome;
  return last == JournalOutcome::kUnfinished || last == JournalOutcome::kExited;
}

// All attempts at one test within the part.
struct TestTally {
  RosterEntry runs;
  int64_t attempts = 0;
  bool failed = false;
  bool passed = false;
};

// Turns the journals of one part into a part, its failures and its roster.
class PartBuilder {
 public:
  PartBuilder(const std::string& part_id, const std::filesystem::path& root) : root_(root.lexically_normal()) {
    part_.part_id = part_id;
    // "/repo/" and "/repo" are the same folder.
    if (!root_.has_filename()) root_ = root_.parent_path();
  }

  // Attempts are counted in the order of time, so results come in that order over all journals.
  void Add(const std::vector<const Journal*>& journals) {
    struct Entry {
      Timestamp start;
      const Journal* journal;
      size_t index;
    };
    std::vector<Entry> entries;
    for (const Journal* journal : journals) {
      for (size_t i = 0; i < journal->results.size(); ++i) {
        entries.push_back({journal->At(journal->results[i].start_us), journal, i});
      }
    }
    const auto start = [](const Entry& entry) { return entry.start; };
    std::ranges::stable_sort(entries, {}, start);
    for (const Entry& entry : entries) AddResult(*entry.journal, entry.index);
    for (const Journal* journal : journals) AddBetween(*journal);
    AddAccount(journals);
  }

  RunRecord Finish() && {
    RunRecord record;
    record.rosters.push_back(MakeRoster(Roster()));
    part_.roster_id = record.rosters.front()->roster_id;
    record.parts.push_back(std::move(part_));
    record.failures = std::move(failures_);
    return record;
  }

 private:
  void AddResult(const Journal& journal, size_t index) {
    const JournalResult& result = journal.results[index];
    const Verdict verdict = VerdictOf(result, journal);
    if (verdict == Verdict::kNone) return;
    Failure failure;
    failure.test_file = NameOf(result.file);
    if (failure.test_file.empty()) failure.test_file = UnknownFile(journal);
    TestTally& tally = tallies_[result.name][failure.test_file];
    ++(verdict == Verdict::kSkipped ? tally.runs.skipped : tally.runs.executed);
    failure.attempt = tally.attempts++;
    tally.failed |= verdict == Verdict::kFailed;
    tally.passed |= verdict == Verdict::kPassed;
    if (verdict != Verdict::kFailed) return;

    failure.test_name = result.name;
    failure.duration_ms = Millis(result.duration_us);
    failure.shuffle_seed = result.shuffle_seed;
    failure.preceding_test = PrecedingTest(journal, index);
    bool explained = false;
    for (const JournalFailure& reported : result.failures) {
      if (!IsFailure(reported)) continue;
      AddReported(failure, reported, journal, result.line);
      explained = true;
    }
    failure.line = result.line;
    failure.failed_at = journal.At(result.start_us + result.duration_us);
    if (result.outcome == JournalOutcome::kExited) {
      const std::string status = result.exit_status ? std::to_string(*result.exit_status) : "";
      AddOwn(failure, kUncaught, "the test called exit(" + status + "); later tests in this process did not run");
    } else if (result.outcome == JournalOutcome::kUnfinished && !journal.lost) {
      const bool died = !journal.end_us && index + 1 == journal.results.size();
      if (died) {
        AddDeath(failure, journal, "died", "in this test");
      } else {
        AddOwn(failure, kUnknown, "it began, but how it ended was not recorded");
      }
    } else if (!explained) {
      AddOwn(failure, kUnknown, "failed without a message");
    }
  }

  // Failures outside of tests: what set-ups and tear-downs report, and an end that GoogleTest did not see.
  void AddBetween(const Journal& journal) {
    for (const JournalSuiteFailure& between : journal.suite_failures) {
      if (!IsFailure(between.failure)) continue;
      Failure failure;
      failure.test_name = between.suite.empty() ? ProgramOf(journal) : between.suite;
      failure.test_file = NameOf(FileOfSuite(journal, between));
      if (failure.test_file.empty()) failure.test_file = UnknownFile(journal);
      failure.shuffle_seed = between.shuffle_seed;
      failure.preceding_test = PrecedingTest(journal, between.results_before);
      AddReported(failure, between.failure, journal, std::nullopt);
      ++errors_;
    }
    if (journal.end_us || EndedInTest(journal)) return;
    Failure failure;
    failure.test_name = ProgramOf(journal);
    failure.test_file = UnknownFile(journal);
    failure.preceding_test = PrecedingTest(journal, journal.results.size());
    failure.failed_at = journal.At(journal.last_us);
    if (journal.lost) {
      AddOwn(failure, kUnknown, "what came next could not be recorded: " + *journal.lost);
    } else if (journal.is_command) {
      AddOwn(failure, kUnknown, "`flaky run` itself was ended: how its command did is not known");
    } else {
      AddDeath(failure, journal, "ended", "between tests");
    }
    ++errors_;
  }

  // A failure that GoogleTest reported. `failure` holds what all failures of its test have in common.
  void AddReported(Failure failure, const JournalFailure& reported, const Journal& journal,
                   std::optional<int64_t> line_of_test) {
    const std::string& file = NameOf(reported.file);
    const SplitMessage split = SplitTrace(reported.message);
    failure.failed_at = journal.At(reported.at_us);
    failure.line = file == failure.test_file && reported.line ? reported.line : line_of_test;
    std::string stack;
    if (!file.empty()) stack = reported.line ? file + ':' + std::to_string(*reported.line) : file;
    if (!split.trace.empty()) stack.append(stack.empty() ? "" : "\n").append(split.trace);
    if (!stack.empty()) failure.error_stack = std::move(stack);
    // GoogleTest knows no place for what it caught itself: exceptions.
    const bool caught = file.empty() && !reported.line;
    AddOwn(std::move(failure), caught ? kUncaught : kAssertion, std::string(split.message));
  }

  void AddOwn(Failure failure, std::string_view kind, std::string message) {
    failure.part_id = part_.part_id;
    failure.failure_kind = kind;
    failure.error_message = std::move(message);
    failures_.push_back(std::move(failure));
  }

  RosterEntries Roster() const {
    RosterEntries roster;
    for (const auto& [name, files] : tallies_) {
      for (const auto& [file, tally] : files) roster[files.size() == 1 ? name : RosterName(name, file)] = tally.runs;
    }
    return roster;
  }

  void AddAccount(const std::vector<const Journal*>& journals) {
    int64_t passed = 0, failed = 0, skipped = 0;
    for (const auto& [name, files] : tallies_) {
      for (const auto& [file, tally] : files) ++(tally.failed ? failed : tally.passed ? passed : skipped);
    }
    Account& account = part_.account;
    account.started_at = journals.front()->started_at;
    Timestamp ended;
    bool all_passed = true;
    for (const Journal* journal : journals) {
      account.started_at = std::min(account.started_at, journal->started_at);
      ended = std::max(ended, journal->At(journal->last_us));
      all_passed &= journal->said_passed.value_or(true);
    }
    account.ended_at = ended;
    account.duration_ms = (ended.micros - account.started_at.micros) / 1000;
    account.total_tests = passed + failed + skipped;
    account.passed_tests = passed;
    account.failed_tests = failed;
    account.errors_between_tests = errors_;
    account.status = failed > 0 || errors_ > 0 || !all_passed ? kFail : kPass;
    const auto agreed = [&](std::optional<std::string> Journal::*field) {
      const auto same = [&](const Journal* journal) { return journal->*field == journals.front()->*field; };
      return std::ranges::all_of(journals, same) ? journals.front()->*field : std::nullopt;
    };
    part_.variant = agreed(&Journal::variant);
    part_.shard = agreed(&Journal::shard);
  }

  // A process that did not get to its end. `verb`: what is said where nobody saw how.
  void AddDeath(Failure failure, const Journal& journal, const std::string& verb, const std::string& where) {
    const JournalDeath death = journal.died.value_or(JournalDeath{});
    std::string how = verb;
    if (death.signal) how = "was ended by " + *death.signal;
    if (death.exit_code) how = "ended with exit code " + std::to_string(*death.exit_code);
    if (death.time_limit_us) {
      if (!death.signal && !death.exit_code) how = "was ended";
      how += " at its time limit of " + SecondsText(*death.time_limit_us);
    }
    std::string message = "did not finish: the process " + how + ' ' + where;
    if (death.out_of_memory) message += "; the kernel's OOM killer was active at the time";
    failure.signal = death.signal;
    AddOwn(std::move(failure), death.time_limit_us ? kTimeout : kUncaught, std::move(message));
  }

  static std::string UnknownFile(const Journal& journal) { return "[" + ProgramOf(journal) + "]"; }

  // The test that the process ran before its result `index`.
  static std::optional<std::string> PrecedingTest(const Journal& journal, size_t index) {
    while (index-- > 0) {
      if (journal.results[index].outcome != JournalOutcome::kNotRun) return journal.results[index].name;
    }
    return std::nullopt;
  }

  // A suite is defined where its tests are: the one behind a failure of its set-up, or before one of its tear-down.
  static std::string FileOfSuite(const Journal& journal, const JournalSuiteFailure& between) {
    const auto belongs = [&](const JournalResult& result) {
      return result.name.starts_with(between.suite) && result.name.substr(between.suite.size()).starts_with('.');
    };
    const size_t after = between.results_before;
    if (!between.suite.empty()) {
      if (after < journal.results.size() && belongs(journal.results[after])) return journal.results[after].file;
      if (after > 0 && belongs(journal.results[after - 1])) return journal.results[after - 1].file;
    }
    return between.failure.file;
  }

  const std::string& NameOf(const std::string& file) {
    const auto [found, is_new] = names_.try_emplace(file);
    if (is_new) found->second = HistoryFile(file, root_);
    return found->second;
  }

  std::filesystem::path root_;
  Part part_;
  std::vector<Failure> failures_;
  std::unordered_map<std::string, std::string> names_;               // of source files, as the history has them
  std::map<std::string, std::map<std::string, TestTally>> tallies_;  // by name and file
  int64_t errors_ = 0;
};

// The smallest of the texts that are known, as history/merge.h joins them.
std::optional<std::string> Smallest(const std::vector<const Journal*>& journals, std::string (*text)(const Journal&)) {
  std::optional<std::string> smallest;
  for (const Journal* journal : journals) {
    std::string candidate = text(*journal);
    if (!candidate.empty() && (!smallest || candidate < *smallest)) smallest = std::move(candidate);
  }
  return smallest;
}

// The command line that all processes had.
std::optional<std::string> CommonCommandLine(const std::vector<const Journal*>& journals) {
  const auto same = [&](const Journal* journal) { return journal->args == journals.front()->args; };
  if (journals.front()->args.empty() || !std::ranges::all_of(journals, same)) return std::nullopt;
  return CommandLine(*journals.front());
}

}  // namespace

RunRecord RecordOf(const std::string& run_id, const std::string& part_id, const std::vector<Journal>& journals,
                   const RunContext& context) {
  std::vector<const Journal*> ordered;
  ordered.reserve(journals.size());
  for (const Journal& journal : journals) ordered.push_back(&journal);
  const auto order = [](const Journal* journal) { return std::tie(journal->started_at, journal->journal_id); };
  std::ranges::sort(ordered, {}, order);

  PartBuilder builder(part_id, context.root);
  builder.Add(ordered);
  RunRecord record = std::move(builder).Finish();
  Run& run = record.run;
  run.run_id = run_id;
  run.project = context.project;
  run.git_sha = context.git_sha;
  run.git_dirty = context.git_dirty;
  run.tree_sha = context.tree_sha;
  run.branch = context.branch;
  run.ci_url = context.ci_url;
  run.runtime_version = Smallest(ordered, RuntimeVersion);
  run.test_args = CommonCommandLine(ordered);
  SumParts(record);
  return record;
}

}  // namespace flaky
