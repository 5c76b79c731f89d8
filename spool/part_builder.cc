// SPDX-License-Identifier: MIT
#include "spool/part_builder.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spool/part_facts.h"

namespace flaky {
namespace {

std::string ProgramOf(const Journal& journal) {
  const std::string name = journal.ProgramName();
  return name.empty() ? "test program" : name;
}

// Returns the name of a source file in the history: relative to the repository if it is inside.
std::string HistoryFile(std::string_view file, const std::filesystem::path& root) {
  if (file.empty()) return {};
  const std::filesystem::path path = std::filesystem::path(file).lexically_normal();
  if (root.empty() || !path.is_absolute()) return path.string();
  const std::filesystem::path relative = path.lexically_relative(root);
  const bool is_inside = !relative.empty() && *relative.begin() != ".." && relative != ".";
  return is_inside ? relative.string() : path.string();
}

// "1 s", "0.25 s"
std::string SecondsText(int64_t micros) {
  std::string text = std::to_string(micros / kMicrosPerSecond);
  std::string fraction = std::to_string(kMicrosPerSecond + micros % kMicrosPerSecond).substr(1);
  fraction.resize(fraction.find_last_not_of('0') + 1);
  return text + (fraction.empty() ? "" : '.' + fraction) + " s";
}

std::string_view TrimNewlines(std::string_view text) {
  const size_t last = text.find_last_not_of("\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// A failure's message, and what GoogleTest appends to it: the SCOPED_TRACE and the stack.
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

// How one result counts. kNone if the journal does not say, because the recorder could not continue writing it.
enum class Verdict { kPassed, kFailed, kSkipped, kNone };

Verdict VerdictOf(const JournalResult& result, const Journal& journal) {
  const bool has_failures = std::ranges::any_of(result.failures, IsFailure);
  switch (result.outcome) {
    case JournalOutcome::kPassed:  // GoogleTest says so: earlier failures were withdrawn
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

// Returns true if the process is known to have ended inside a test.
bool EndedInTest(const Journal& journal) { return journal.ended_in_test && !journal.lost; }

// How a process without an end event ended.
enum class End {
  kDied,         // for its own reason: its death is a failure
  kInterrupted,  // from outside, as by Ctrl-C
  kNotKnown,     // no process could observe it
};

End EndOf(const Journal& journal) {
  if (!journal.died) return End::kNotKnown;
  const JournalDeath& death = *journal.died;
  if (death.time_limit_us || death.out_of_memory) return End::kDied;
  if (death.signal) return IsInterruption(*death.signal) ? End::kInterrupted : End::kDied;
  if (death.interrupted_by) return End::kInterrupted;
  return death.exit_code || death.run_continued ? End::kDied : End::kNotKnown;
}

// Returns true if the result is that of a test in which the process ended, and the end does not count as a failure.
bool IsEarlyEnd(const JournalResult& result, const Journal& journal) {
  const bool is_open = result.outcome == JournalOutcome::kUnfinished && !journal.lost && !journal.end_us;
  return is_open && &result == &journal.results.back() && std::ranges::none_of(result.failures, IsFailure) &&
         EndOf(journal) != End::kDied;
}

std::string UnknownFile(const Journal& journal) { return "[" + ProgramOf(journal) + "]"; }

// Returns an empty text if this is not one of several processes.
std::string RankText(const Journal& journal) {
  if (!IsRank(journal)) return {};
  const int64_t rank = journal.rank.value_or(0), ranks = journal.ranks.value_or(0);
  return "rank " + std::to_string(rank) + (ranks > 0 ? " of " + std::to_string(ranks) : "");
}

void AddToStack(Failure& failure, const std::string& line) {
  failure.error_stack = failure.error_stack ? *failure.error_stack + '\n' + line : line;
}

std::optional<std::string> IfKnown(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// Says what a delivery does not keep of a result with very many failures.
std::string LeftOutNote(const JournalResult& result) {
  std::string note;
  if (result.failures_left_out > 0) {
    note += "\n[flaky: " + std::to_string(result.failures_left_out) + " more failures of this execution are not kept]";
  }
  if (result.executions > 1) {
    note += "\n[flaky: the test failed " + std::to_string(result.executions - 1) +
            " more times in this process; these failures are counted, but not kept]";
  }
  return note;
}

// Returns how many tests the program was to run that have no result because it, or its recording, ended early.
int64_t MissingTests(const Journal& journal) {
  if (journal.end_us && !journal.lost) return 0;
  int64_t results = 0;
  for (const JournalResult& result : journal.results) {
    if (result.iteration == 0 && VerdictOf(result, journal) != Verdict::kNone && !IsEarlyEnd(result, journal)) {
      ++results;
    }
  }
  return std::max<int64_t>(0, journal.tests_to_run - results);
}

// Returns the name of each program in the history, by its path: its file name. If programs in different folders have
// the same file name, the names begin with as many folders as tell them apart.
std::map<std::string, std::string> ProgramNames(const std::vector<const Journal*>& journals) {
  std::map<std::string, std::vector<std::filesystem::path>> by_name;
  std::map<std::string, std::string> names;
  for (const Journal* journal : journals) {
    const auto [name, is_new] = names.try_emplace(journal->ProgramPath(), ProgramOf(*journal));
    if (is_new) by_name[name->second].emplace_back(name->first).remove_filename();
  }
  for (auto& entry : names) {
    const std::string& path = entry.first;
    const std::string name = entry.second;
    std::vector<std::filesystem::path>& others = by_name[name];
    std::filesystem::path folder = std::filesystem::path(path).parent_path();
    std::string longer = name;
    for (auto left = others.size(); left > 1 && !folder.filename().empty(); folder = folder.parent_path()) {
      longer = folder.filename().string() + '/' + longer;
      left = static_cast<size_t>(std::ranges::count_if(
          others, [&](const std::filesystem::path& other) { return (other / name).string().ends_with('/' + longer); }));
    }
    entry.second = std::move(longer);
  }
  return names;
}

}  // namespace

PartBuilder::PartBuilder(const std::string& part_id, const std::filesystem::path& root, TestLists* lists)
    : root_(root.lexically_normal()), lists_(lists) {
  part_.part_id = part_id;
  // "/repo/" and "/repo" are the same folder.
  if (!root_.has_filename()) root_ = root_.parent_path();
}

void PartBuilder::Add(const std::vector<const Journal*>& journals) {
  struct Entry {
    Timestamp start;
    const Journal* journal;
    size_t index;
  };
  rank_ = RankText(*journals.front());
  program_names_ = ProgramNames(journals);
  // Attempts are numbered in order of time across all journals.
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
  SetAccount(journals);
  SetFacts(part_, journals);
  if (lists_ != nullptr) registered_ = RegisteredIn(journals, program_names_, *lists_);
}

RunRecord PartBuilder::Finish() && {
  RunRecord record;
  PartTests tests;
  for (auto& [program, its_tallies] : tallies_) {
    ProgramTests& its_tests = tests[program];
    for (const auto& [name, tally] : its_tallies) {
      PartTest& test = its_tests[name];
      test.counts = tally.counts;
      if (tally.measured > 0) {
        test.duration_us = tally.duration_us / tally.measured;
      } else if (tally.skips_measured > 0 && tally.counts.executed == 0) {
        test.duration_us = tally.skipped_us / tally.skips_measured;
      }
    }
  }
  record.rosters = SetPartTests(part_, tests, registered_);
  record.parts.push_back(std::move(part_));
  record.failures = std::move(failures_);
  return record;
}

void PartBuilder::AddResult(const Journal& journal, size_t index) {
  program_ = program_names_.at(journal.ProgramPath());
  const JournalResult& result = journal.results[index];
  const Verdict verdict = VerdictOf(result, journal);
  if (verdict == Verdict::kNone) return;
  if (IsEarlyEnd(result, journal)) return AddEarlyEnd(journal, result.name);
  Failure failure;
  failure.test_file = NameOf(result.file);
  if (failure.test_file.empty()) failure.test_file = UnknownFile(journal);
  TestTally& tally = tallies_[program_][result.name];
  (verdict == Verdict::kSkipped ? tally.counts.skipped : tally.counts.executed) += result.executions;
  const bool skipped = verdict == Verdict::kSkipped;
  (skipped ? tally.skipped_us : tally.duration_us) += result.further_us + (result.is_measured ? result.duration_us : 0);
  (skipped ? tally.skips_measured : tally.measured) += result.further_measured + (result.is_measured ? 1 : 0);
  failure.attempt = tally.attempts;
  tally.attempts += result.executions;
  tally.failed |= verdict == Verdict::kFailed;
  tally.passed |= verdict == Verdict::kPassed;
  if (verdict != Verdict::kFailed) return;

  failure.test_name = result.name;
  failure.duration_ms = Millis(result.duration_us);
  failure.shuffle_seed = result.shuffle_seed;
  failure.parameter = IfKnown(result.parameter);
  failure.preceding_test = IfKnown(result.preceding_test);
  const size_t failures_before = failures_.size();
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
    const std::string how = result.called_exit
                                ? "the test called exit(" + status + ")"
                                : "the process ended with exit code " + status + " while this test was open";
    AddFailure(failure, kUncaught, how + "; later tests in this process did not run");
  } else if (result.outcome == JournalOutcome::kUnfinished && !journal.lost) {
    const bool died = !journal.end_us && index + 1 == journal.results.size();
    if (died && EndOf(journal) != End::kDied) {
      AddEarlyEnd(journal, result.name);  // and the test had failed before
    } else if (died) {
      AddDeath(failure, journal, "died", "in this test");
    } else {
      AddFailure(failure, kUnknown, "it began, but how it ended was not recorded");
    }
  } else if (!explained) {
    AddFailure(failure, kUnknown, "failed without a message");
  }
  if (failures_.size() > failures_before) *failures_.back().error_message += LeftOutNote(result);
}

void PartBuilder::AddBetween(const Journal& journal) {
  program_ = program_names_.at(journal.ProgramPath());
  for (const JournalSuiteFailure& between : journal.suite_failures) {
    if (!IsFailure(between.failure)) continue;
    Failure failure;
    failure.test_name = between.suite.empty() ? ProgramOf(journal) : between.suite;
    failure.test_file = NameOf(between.suite_file.empty() ? between.failure.file : between.suite_file);
    if (failure.test_file.empty()) failure.test_file = UnknownFile(journal);
    failure.shuffle_seed = between.shuffle_seed;
    failure.preceding_test = IfKnown(between.preceding_test);
    AddReported(failure, between.failure, journal, std::nullopt);
    ++errors_;
  }
  if (const int64_t left_out = journal.suite_failures_left_out; left_out > 0) {
    *failures_.back().error_message +=
        "\n[flaky: " + std::to_string(left_out) + " more failures outside of tests are counted, but not kept]";
    errors_ += left_out;
  }
  const bool interrupted = journal.is_command && EndOf(journal) == End::kInterrupted;
  if (interrupted || journal.lost) return AddEarlyEnd(journal, "");
  if (journal.end_us || EndedInTest(journal)) return;
  if (EndOf(journal) != End::kDied) return AddEarlyEnd(journal, "");
  Failure failure;
  failure.test_name = ProgramOf(journal);
  failure.test_file = UnknownFile(journal);
  failure.preceding_test = IfKnown(journal.last_test);
  failure.failed_at = journal.At(journal.last_us);
  AddDeath(std::move(failure), journal, "ended", "between tests");
  ++errors_;
}

void PartBuilder::AddReported(Failure failure, const JournalFailure& reported, const Journal& journal,
                              std::optional<int64_t> line_of_test) {
  const std::string& file = NameOf(reported.file);
  const SplitMessage split = SplitTrace(reported.message);
  failure.failed_at = journal.At(reported.at_us);
  failure.line = file == failure.test_file && reported.line ? reported.line : line_of_test;
  std::string stack;
  if (!file.empty()) stack = reported.line ? file + ':' + std::to_string(*reported.line) : file;
  if (!split.trace.empty()) stack.append(stack.empty() ? "" : "\n").append(split.trace);
  if (!stack.empty()) failure.error_stack = std::move(stack);
  // GoogleTest reports no place for exceptions that it caught itself.
  const bool caught = file.empty() && !reported.line;
  AddFailure(std::move(failure), caught ? kUncaught : kAssertion, std::string(split.message));
}

void PartBuilder::AddFailure(Failure failure, std::string_view kind, std::string message) {
  failure.part_id = part_.part_id;
  failure.failure_kind = kind;
  failure.error_message = std::move(message);
  failure.program = program_;
  if (!rank_.empty()) AddToStack(failure, rank_);
  failures_.push_back(std::move(failure));
}

void PartBuilder::SetAccount(const std::vector<const Journal*>& journals) {
  int64_t passed = 0, failed = 0, skipped = 0;
  for (const auto& [program, tests] : tallies_) {
    for (const auto& [test, tally] : tests) ++(tally.failed ? failed : tally.passed ? passed : skipped);
  }
  Account& account = part_.account;
  account.started_at = journals.front()->started_at;
  Timestamp ended;
  bool all_passed = true, all_ended = true;
  int64_t missing = 0;
  for (const Journal* journal : journals) {
    missing += MissingTests(*journal);
    all_ended = all_ended && journal->end_us && !(journal->died && journal->died->interrupted_by);
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
  part_.ended_early = EarlyEndsText(early_ends_);
  if (missing > 0) account.missing_tests = missing;
  if (failed > 0 || errors_ > 0 || !all_passed) {
    account.status = kFail;
  } else if (all_ended) {
    account.status = kPass;
  }
}

void PartBuilder::AddDeath(Failure failure, const Journal& journal, const std::string& verb, const std::string& where) {
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
  AddFailure(std::move(failure), death.time_limit_us ? kTimeout : kUncaught, std::move(message));
}

void PartBuilder::AddEarlyEnd(const Journal& journal, const std::string& test) {
  EarlyEnd end{EarlyEnd::Cause::kNotKnown, test, journal.is_command ? "flaky run" : journal.ProgramName(), {}};
  if (journal.lost) {
    end.cause = EarlyEnd::Cause::kUnrecorded;
    const int64_t missing = MissingTests(journal);
    end.detail = (missing == 0 ? "what came next could not be recorded"
                               : std::to_string(journal.tests_to_run - missing) + " of " +
                                     std::to_string(journal.tests_to_run) + " results recorded") +
                 ": " + *journal.lost;
  } else if (EndOf(journal) == End::kInterrupted) {
    end.cause = EarlyEnd::Cause::kInterrupted;
    end.detail = journal.died->signal ? journal.died->signal : IfKnown(journal.died->interrupted_by.value_or(""));
  }
  early_ends_.push_back(std::move(end));
}

const std::string& PartBuilder::NameOf(const std::string& file) {
  const auto [found, is_new] = names_.try_emplace(file);
  if (is_new) found->second = HistoryFile(file, root_);
  return found->second;
}

}  // namespace flaky
