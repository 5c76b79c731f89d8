// SPDX-License-Identifier: MIT
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "formats/results_records.h"
#include "history/part_tests.h"

namespace flaky {
namespace {

// How many executions of one test of a part are written. The format has no counts, and a test may be repeated forever.
constexpr int64_t kMostExecutions = 1000;

constexpr int64_t kMostMillis = 1'000'000'000'000;  // what the reader accepts

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
  line.commit_time = run.commit_at;
  return line;
}

struct Interruption {
  std::optional<std::string> text;  // of the field `interrupted`
  std::string program;
};

// Returns what the column `ended_early` says: the first interruption, or else the first end of another kind.
Interruption InterruptionOf(const std::string& ended_early) {
  simdjson::dom::parser parser;
  simdjson::dom::array ends;
  if (parser.parse(ended_early).get(ends)) return {std::string(kEndNotKnown), {}};
  Interruption found;
  for (const simdjson::dom::element end : ends) {
    std::string_view cause, detail, program;
    if (end["cause"].get(cause)) cause = {};
    if (end["program"].get(program)) program = {};
    if (cause == "interrupted") {
      if (end["signal"].get(detail) || detail.empty()) detail = "interrupted";
      return {std::string(detail), std::string(program)};
    }
    if (cause == "unrecorded" && !end["reason"].get(detail)) {
      found = {std::string(kNotRecorded).append(detail), std::string(program)};
    } else if (!found.text) {
      found = {std::string(kEndNotKnown), std::string(program)};
    }
  }
  return found;
}

ResultOutcome OutcomeOf(const Failure& failure) {
  if (failure.failure_kind == kTimeout) return ResultOutcome::kTimedOut;
  return failure.failure_kind == kUncaught ? ResultOutcome::kCrashed : ResultOutcome::kFailed;
}

// The name of the program in brackets means that no file is known. But if it is also the failure's name, and has a dot,
// it says that the failure is one outside of tests.
bool HasFile(const Failure& failure) {
  if (failure.test_file == '[' + failure.test_name + ']') return failure.test_name.find('.') != std::string::npos;
  return !failure.test_file.empty() && (!failure.program || failure.test_file != '[' + *failure.program + ']');
}

Result ResultOf(const Failure& failure) {
  Result result;
  result.name = failure.test_name;
  result.outcome = OutcomeOf(failure);
  if (HasFile(failure)) result.file = failure.test_file;
  result.line = failure.line;
  if (failure.duration_ms && *failure.duration_ms >= 0) {
    result.duration = ResultDuration{std::min(*failure.duration_ms, kMostMillis) * 1000};
  }
  result.message = failure.error_message;
  result.stack = failure.error_stack;
  result.at = failure.failed_at;
  result.parameter = failure.parameter;
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

// Returns true if both are the same in the history, which rounds durations.
bool AreStoredEqual(int64_t one_us, int64_t other_us) { return DurationsText({one_us}) == DurationsText({other_us}); }

// Returns the duration of each of the passes so that the mean of all executions is the one that the part has. If that
// is not enough, changes those of the failures within their milliseconds. So an import finds the same mean again.
std::optional<ResultDuration> FitDurations(Attempts& failed, int64_t passes, const std::optional<int64_t>& mean_us) {
  if (!mean_us) return std::nullopt;
  int64_t measured = 0;
  double sum = 0;
  for (const auto& [attempt, result] : failed) {
    if (!result.duration) continue;
    ++measured;
    sum += static_cast<double>(result.duration->micros);
  }
  const double rest = static_cast<double>(*mean_us) * static_cast<double>(passes + measured) - sum;
  std::optional<ResultDuration> each;
  if (passes > 0) {
    each = ResultDuration{std::llround(std::clamp(rest / static_cast<double>(passes), 0.0, 1000.0 * kMostMillis))};
    if (rest >= 0) return each;
  }
  const double mean = sum / static_cast<double>(std::max<int64_t>(1, passes + measured));
  if (measured == 0 || AreStoredEqual(std::llround(mean), *mean_us)) return each;
  const int64_t shift = std::llround(std::clamp(rest / static_cast<double>(measured), -500.0, 499.0));
  for (auto& [attempt, result] : failed) {
    if (!result.duration) continue;
    result.duration->micros = std::clamp<int64_t>(result.duration->micros + shift, 0, 1000 * kMostMillis);
  }
  return each;
}

std::string_view ProgramOf(const Failure& failure) {
  return failure.program ? std::string_view(*failure.program) : std::string_view();
}

// Fills the lists of one line.
class Lists {
 public:
  Lists(ResultsLine& line, Failures failures, LeftOutCounts& left_out) : line_(line), left_out_(left_out) {
    std::ranges::stable_sort(failures, {}, [](const Failure* failure) { return failure->failed_at; });
    for (const Failure* failure : failures) by_test_[{ProgramOf(*failure), failure->test_name}].push_back(failure);
  }

  // Adds the executions of a test, with their failures.
  void Add(const std::string& program, const std::string& name, const PartTest& test) {
    if (name.find('.') == std::string::npos) {
      ++left_out_["tests whose name has no dot"];
      return;
    }
    Attempts failed = TakeFailed(program, name);
    if (failed.empty() && IsOfLine(program)) {
      if (test.counts == TestCounts{1, 0} && !test.duration_us) return line_.passed.push_back(name);
      if (test.counts == TestCounts{0, 1}) return line_.skipped.push_back(name);
    }
    int64_t passes = std::max<int64_t>(0, test.counts.executed - static_cast<int64_t>(failed.size()));
    int64_t skips = test.counts.skipped;
    const auto duration = FitDurations(failed, std::min(passes, kMostExecutions), test.duration_us);
    for (int64_t attempt = 0; passes + skips > 0 && attempt < kMostExecutions; ++attempt) {
      if (auto found = failed.extract(attempt)) {
        Add(program, std::move(found.mapped()));
        continue;
      }
      Result other;
      other.name = name;
      other.outcome = passes > 0 ? ResultOutcome::kPassed : ResultOutcome::kSkipped;
      if (passes > 0) other.duration = duration;
      --(passes > 0 ? passes : skips);
      Add(program, std::move(other));
    }
    for (auto& [attempt, result] : failed) Add(program, std::move(result));
    if (passes + skips > 0) left_out_["executions of a test beyond the first 1,000 of a part"] += passes + skips;
  }

  // Adds what belongs to no test of the part: failures outside of tests, and those of tests that the roster lacks.
  void AddOthers() {
    for (const auto& [test, failures] : by_test_) {
      if (test.second.empty()) {
        left_out_["failures without a name"] += static_cast<int64_t>(failures.size());
        continue;
      }
      for (auto& [attempt, result] : AttemptsOf(failures)) Add(test.first, std::move(result));
    }
  }

 private:
  bool IsOfLine(std::string_view program) const { return program == line_.program.value_or(""); }

  // Leaves out what the line says for all of its results.
  void Add(std::string_view program, Result result) {
    if (!IsOfLine(program)) result.program = program;
    if (result.shuffle_seed == line_.shuffle_seed) result.shuffle_seed.reset();
    line_.results.push_back(std::move(result));
  }

  Attempts TakeFailed(std::string_view program, std::string_view name) {
    const auto found = by_test_.find({program, name});
    if (found == by_test_.end()) return {};
    Failures& all = found->second;
    const auto is_outside = [](const Failure* failure) { return ResultOf(*failure).IsOutsideTests(); };
    const auto rest = std::stable_partition(all.begin(), all.end(), is_outside);
    Attempts attempts = AttemptsOf(Failures(rest, all.end()));
    all.erase(rest, all.end());
    return attempts;
  }

  ResultsLine& line_;
  std::map<std::pair<std::string_view, std::string_view>, Failures> by_test_;  // by programs and names
  LeftOutCounts& left_out_;
};

PartTests KnownTestsOf(const RunRecord& record, const Part& part) {
  try {
    return TestsOf(part, record.rosters);
  } catch (const std::invalid_argument&) {
    return {};  // its roster is missing or damaged
  }
}

// Returns the program of all tests and failures, if there is one.
std::optional<std::string> OneProgramOf(const PartTests& tests, const Failures& failures, const std::string& if_none) {
  std::set<std::string_view> programs;
  for (const auto& [program, its_tests] : tests) programs.insert(program);
  for (const Failure* failure : failures) programs.insert(ProgramOf(*failure));
  if (programs.empty()) programs.insert(if_none);
  if (programs.size() > 1 || programs.begin()->empty()) return std::nullopt;
  return std::string(*programs.begin());
}

void CountLeftOut(const Part& part, LeftOutCounts& left_out) {
  const bool misses_some = part.account.missing_tests.value_or(0) > 0;
  if (misses_some || (part.planned_tests && part.planned_tests > part.account.total_tests)) {
    ++left_out["how many tests of a part have no result"];
  }
  if (part.rank) ++left_out["which process of an MPI program a part is"];
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
  line.host = part.host;
  line.shuffle_seed = part.shuffle_seed;
  if (part.shuffle_seed) line.shuffled = true;
  Interruption interruption;
  if (part.ended_early) interruption = InterruptionOf(*part.ended_early);
  line.interrupted = interruption.text;
  CountLeftOut(part, left_out);
  if (account.status == kFail && failures.empty()) ++left_out["that a part failed in which no test failed"];

  const PartTests tests = KnownTestsOf(record, part);
  if (tests.empty() && account.total_tests != 0) ++left_out["which tests passed, of parts that do not say it"];
  line.program = OneProgramOf(tests, failures, interruption.program);
  Lists lists(line, std::move(failures), left_out);
  for (const auto& [program, its_tests] : tests) {
    for (const auto& [name, test] : its_tests) lists.Add(program, name, test);
  }
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
  if (record.run.merge_base) ++left_out["the merge base of a run"];
  if (record.run.edited_tree) ++left_out["the tree of a run with edits that were not committed"];
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
