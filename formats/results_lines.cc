// SPDX-License-Identifier: MIT
#include <simdjson.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "formats/results_records.h"
#include "history/roster.h"

namespace flaky {
namespace {

// How many executions of one test of a part are written. The format has no counts, and a test may be repeated forever.
constexpr int64_t kMostExecutions = 1000;

ResultsLine LineOf(const Run& run, const Account& account) {
  ResultsLine line;
  line.run_id = run.run_id;
  line.project = run.project;
  line.started_at = account.started_at;
  line.ended_at = account.ended_at;
  if (line.ended_at && *line.ended_at < *line.started_at) line.ended_at.reset();  // a clock was set back
  line.git_sha = run.git_sha;
  line.git_dirty = run.git_dirty;
  line.tree_sha = run.tree_sha;
  line.branch = run.branch;
  line.runtime_version = run.runtime_version;
  line.arguments = run.test_args;
  line.ci_url = run.ci_url;
  return line;
}

// Returns the text of `interrupted` for the column `ended_early`.
std::optional<std::string> InterruptionOf(const std::string& ended_early) {
  simdjson::dom::parser parser;
  simdjson::dom::array ends;
  if (parser.parse(ended_early).get(ends)) return std::string(kEndNotKnown);
  std::optional<std::string> text;
  for (const simdjson::dom::element end : ends) {
    std::string_view cause, detail;
    if (end["cause"].get(cause)) cause = {};
    if (cause == "interrupted") {
      if (end["signal"].get(detail) || detail.empty()) detail = "interrupted";
      return std::string(detail);
    }
    if (cause == "unrecorded" && !end["reason"].get(detail)) {
      text = std::string(kNotRecorded).append(detail);
    } else if (!text) {
      text = kEndNotKnown;
    }
  }
  return text;
}

// The test of an entry of a roster.
struct Entry {
  std::string name, file, program;
};

Entry SplitEntry(const std::string& entry) {
  Entry split;
  std::string_view rest = entry;
  const auto cut = [&](std::string_view begin, char end, std::string& into) {
    const size_t at = rest.rfind(begin);
    if (at == rest.npos || !rest.ends_with(end)) return;
    into = rest.substr(at + begin.size(), rest.size() - at - begin.size() - 1);
    rest = rest.substr(0, at);
  };
  cut(" [", ']', split.program);
  cut(" (", ')', split.file);
  split.name = rest;
  return split;
}

ResultOutcome OutcomeOf(const Failure& failure) {
  if (failure.failure_kind == kTimeout) return ResultOutcome::kTimedOut;
  return failure.failure_kind == kUncaught ? ResultOutcome::kCrashed : ResultOutcome::kFailed;
}

Result ResultOf(const Failure& failure) {
  Result result;
  result.name = failure.test_name;
  result.outcome = OutcomeOf(failure);
  if (!failure.test_file.empty()) result.file = failure.test_file;
  result.line = failure.line;
  if (failure.duration_ms && *failure.duration_ms >= 0) result.duration = ResultDuration{*failure.duration_ms * 1000};
  result.message = failure.error_message;
  result.stack = failure.error_stack;
  result.at = failure.failed_at;
  result.preceding_test = failure.preceding_test;
  result.signal = failure.signal;
  result.shuffle_seed = failure.shuffle_seed;
  return result;
}

using Failures = std::vector<const Failure*>;
using Attempts = std::map<int64_t, Result>;

// Returns one result for each failed attempt, with the messages of all of its failures.
Attempts AttemptsOf(const Failures& failures) {
  Attempts attempts;
  int64_t next = 0;
  for (const Failure* failure : failures) {
    const auto [place, is_new] = attempts.try_emplace(failure->attempt.value_or(next));
    Result& result = place->second;
    if (is_new) {
      result = ResultOf(*failure);
    } else if (failure->error_message) {
      result.message = result.message.value_or("") + (result.message ? "\n" : "") + *failure->error_message;
    }
    next = attempts.rbegin()->first + 1;
  }
  return attempts;
}

// Fills the lists of one line.
class Lists {
 public:
  Lists(ResultsLine& line, Failures failures, LeftOutCounts& left_out) : line_(line), left_out_(left_out) {
    std::ranges::stable_sort(failures, {}, [](const Failure* failure) { return failure->failed_at; });
    for (const Failure* failure : failures) by_name_[failure->test_name].push_back(failure);
  }

  // Adds the executions of an entry of the roster, with their failures.
  void Add(const std::string& text, const RosterEntry& runs) {
    const Entry entry = SplitEntry(text);
    if (entry.name.find('.') == std::string::npos) {
      ++left_out_["tests whose name has no dot"];
      return;
    }
    Attempts failed = TakeFailed(entry);
    if (failed.empty() && entry.program.empty() && entry.file.empty()) {
      if (runs == RosterEntry{1, 0}) return line_.passed.push_back(entry.name);
      if (runs == RosterEntry{0, 1}) return line_.skipped.push_back(entry.name);
    }
    int64_t passes = std::max<int64_t>(0, runs.executed - static_cast<int64_t>(failed.size()));
    int64_t skips = runs.skipped;
    for (int64_t attempt = 0; passes + skips > 0 && attempt < kMostExecutions; ++attempt) {
      if (auto found = failed.extract(attempt)) {
        line_.results.push_back(std::move(found.mapped()));
        continue;
      }
      Result& other = line_.results.emplace_back();
      other.name = entry.name;
      if (!entry.file.empty()) other.file = entry.file;
      if (!entry.program.empty()) other.program = entry.program;
      other.outcome = passes > 0 ? ResultOutcome::kPassed : ResultOutcome::kSkipped;
      --(passes > 0 ? passes : skips);
    }
    for (auto& [attempt, result] : failed) line_.results.push_back(std::move(result));
    if (passes + skips > 0) left_out_["executions of a test beyond the first 1,000 of a part"] += passes + skips;
  }

  // Adds what belongs to no entry: failures outside of tests, and those of tests that the roster does not name.
  void AddOthers() {
    for (const auto& [name, failures] : by_name_) {
      if (name.empty()) {
        left_out_["failures without a name"] += static_cast<int64_t>(failures.size());
        continue;
      }
      for (auto& [attempt, result] : AttemptsOf(failures)) line_.results.push_back(result);
    }
  }

 private:
  static bool IsOf(const Failure& failure, const Entry& entry) {
    if (ResultOf(failure).IsOutsideTests()) return false;
    if (!entry.file.empty() && failure.test_file != entry.file) return false;
    return entry.program.empty() || failure.error_stack.value_or("").ends_with("in " + entry.program);
  }

  Attempts TakeFailed(const Entry& entry) {
    const auto found = by_name_.find(entry.name);
    if (found == by_name_.end()) return {};
    Failures& all = found->second;
    const auto rest =
        std::stable_partition(all.begin(), all.end(), [&](const Failure* failure) { return !IsOf(*failure, entry); });
    Attempts attempts = AttemptsOf(Failures(rest, all.end()));
    all.erase(rest, all.end());
    if (!entry.program.empty()) {
      for (auto& [attempt, result] : attempts) result.program = entry.program;
    }
    return attempts;
  }

  ResultsLine& line_;
  std::map<std::string_view, Failures> by_name_;
  LeftOutCounts& left_out_;
};

RosterEntries EntriesOf(const RunRecord& record, const Part& part) {
  const auto is_its = [&](const RosterPtr& roster) { return roster->roster_id == part.roster_id; };
  const auto roster = std::ranges::find_if(record.rosters, is_its);
  try {
    if (roster != record.rosters.end()) return ParseRoster((*roster)->tests);
  } catch (const std::invalid_argument&) {
    // It is damaged.
  }
  return {};
}

void AddPart(const RunRecord& record, const Part& part, Failures failures, std::vector<ResultsLine>& lines,
             LeftOutCounts& left_out) {
  const Account& account = part.account;
  if (!account.ended_at) {
    ++left_out["parts that have not ended"];
    return;
  }
  ResultsLine& line = lines.emplace_back(LineOf(record.run, account));
  line.part_id = part.part_id;
  line.variant = part.variant;
  line.shard = part.shard;
  if (part.ended_early) line.interrupted = InterruptionOf(*part.ended_early);
  if (account.missing_tests.value_or(0) > 0) ++left_out["how many tests of a part have no result"];
  if (account.status == kFail && failures.empty()) ++left_out["that a part failed in which no test failed"];

  const RosterEntries entries = EntriesOf(record, part);
  if (entries.empty() && account.total_tests != 0) ++left_out["which tests passed, of parts that do not say it"];
  Lists lists(line, std::move(failures), left_out);
  for (const auto& [entry, runs] : entries) lists.Add(entry, runs);
  lists.AddOthers();
}

// Another tool may have added failures without a part; they go with the first one.
std::string_view PartOf(const Failure& failure, const RunRecord& record) {
  if (record.parts.empty()) return {};
  const bool named =
      failure.part_id && std::ranges::find(record.parts, *failure.part_id, &Part::part_id) != record.parts.end();
  return named ? *failure.part_id : record.parts.front().part_id;
}

}  // namespace

std::vector<ResultsLine> LinesOf(const RunRecord& record, LeftOutCounts& left_out) {
  std::map<std::string_view, Failures> failures;
  for (const Failure& failure : record.failures) failures[PartOf(failure, record)].push_back(&failure);
  std::vector<ResultsLine> lines;
  for (const Part& part : record.parts) AddPart(record, part, std::move(failures[part.part_id]), lines, left_out);
  if (!record.parts.empty()) return lines;
  if (!record.run.account.ended_at) {
    ++left_out["runs that have not ended"];
    return lines;
  }
  ++left_out["which tests passed, of runs of another tool"];
  ResultsLine& line = lines.emplace_back(LineOf(record.run, record.run.account));
  Lists(line, std::move(failures[{}]), left_out).AddOthers();
  return lines;
}

}  // namespace flaky
