// SPDX-License-Identifier: MIT
#include "tests/contract/random_history.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "history/merge.h"
#include "history/roster.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

// The pieces of texts: quoting and escapes of SQL, JSON, COPY and C; marks of parameters and patterns; traps of Unicode
// (composed and decomposed letters, case that changes length, an order that differs in UTF-16, non-characters, marks
// without width or with direction); blanks that are trimmed and line ends that are changed.
constexpr std::string_view kPieces[] = {
    "a",
    "A",
    "b",
    "0",
    "NULL",
    "null",
    "\\N",
    "\\.",
    "\\",
    "'",
    "''",
    "\"",
    "`",
    "$1",
    "?1",
    ":x",
    "@x",
    "%",
    "_",
    "*",
    "[a]",
    "{a,b}",
    "--",
    "/*",
    ";",
    ",",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\x01",
    "\x08",
    "\x1b[0m",
    "\x7f",
    " ",
    "  ",
    "é",
    "e\u0301",
    "ß",
    "İ",
    "ü",
    "Ü",
    "日本",
    "🦊",
    "👩‍👩‍👧",
    "\uFF5E",
    "\uFFFF",
    "\uFEFF",
    "\u2028",
    "\u202E",
    "\U0010FFFF",
    "\\u0000",
    "\\x00",
    "true",
    "1e3",
    "-0",
    "x'00'",
    "E'\\n'",
    "2026-01-01T00:00:00.000Z",
    "'); DROP TABLE runs; --",
};

constexpr size_t kLongText = 64 << 10;

// Within a few seconds, so that many are equal or hardly differ.
constexpr int64_t kMicros[] = {0, 1, 999, 1'000, 1'001, 123'000, 123'456, 999'999};
const Timestamp kFarTimes[] = {{-62'167'219'200 * kMicrosPerSecond},      // year 0
                               {-62'135'596'800 * kMicrosPerSecond - 1},  // its last microsecond
                               {-62'135'596'800 * kMicrosPerSecond},      // year 1
                               {-12'219'292'800 * kMicrosPerSecond},      // the Gregorian calendar's first day
                               {-1},
                               {0},
                               {2'147'483'648 * kMicrosPerSecond},
                               {951'782'400 * kMicrosPerSecond},           // a leap day
                               {253'402'300'800 * kMicrosPerSecond - 1}};  // the last moment of year 9999

constexpr int64_t kNumbers[] = {
    0,         1,        -1, INT32_MAX, int64_t{INT32_MAX} + 1, INT32_MIN, int64_t{1} << 53, (int64_t{1} << 53) + 1,
    INT64_MAX, INT64_MIN};

}  // namespace

std::string RandomHistory::Text() {
  std::string text;
  for (size_t pieces = 1 + random_.Below(4); pieces > 0; --pieces) text += random_.Of(kPieces);
  return text;
}

std::optional<std::string> RandomHistory::MaybeText() {
  if (random_.OneIn(3)) return std::nullopt;
  return random_.OneIn(5) ? "" : Text();
}

std::optional<std::string> RandomHistory::MaybeMessage() {
  std::optional<std::string> text = MaybeText();
  if (text && random_.OneIn(40)) {
    while (text->size() < kLongText) *text += random_.Of(kPieces);
  }
  return text;
}

std::optional<std::string> RandomHistory::Project() {
  return random_.Of<std::optional<std::string>>({std::nullopt, "", "p", "P", "p ", "pé"});
}

int64_t RandomHistory::Number() {
  return random_.OneIn(3) ? static_cast<int64_t>(random_.Bits()) : random_.Of(kNumbers);
}

std::optional<int64_t> RandomHistory::MaybeNumber() {
  if (random_.OneIn(3)) return std::nullopt;
  return Number();
}

std::optional<int64_t> RandomHistory::MaybeCount() {
  if (random_.OneIn(6)) return std::nullopt;
  return random_.OneIn(20) ? Number() : static_cast<int64_t>(random_.Below(30));
}

Timestamp RandomHistory::Time() {
  if (random_.OneIn(25)) return random_.Of(kFarTimes);
  return At(static_cast<int64_t>(random_.Below(4))) + random_.Of(kMicros);
}

std::string RandomHistory::TestName() {
  return random_.OneIn(4) ? Text() : "Suite.Test" + std::to_string(random_.Below(4));
}

// Ids that differ by case, an accent or a blank, or of which one begins with the other.
std::string RandomHistory::NewRunId() {
  std::string id = random_.Of<std::string>({"run", "RUN", "rün", "ru\u0308n", "", "1"});
  for (size_t more = random_.Below(4); more > 0; --more) {
    id += random_.OneIn(3) ? std::string(random_.Of(kPieces)) : std::to_string(random_.Below(10));
  }
  return id;
}

std::string RandomHistory::AnyRunId() {
  if (plans_.empty() || random_.OneIn(6)) return NewRunId();
  return random_.Of(plans_).whole.run.run_id;
}

std::string RandomHistory::AnyPrefix() {
  const std::string id = AnyRunId();
  size_t size = random_.Below(id.size() + 1);
  while (size < id.size() && (static_cast<unsigned char>(id[size]) & 0xC0) == 0x80) ++size;  // whole characters
  return id.substr(0, size);
}

Account RandomHistory::EndedAccount() {
  Account account;
  account.started_at = Time();
  account.ended_at = Time();
  account.duration_ms = MaybeNumber();
  account.status = std::string(random_.OneIn(2) ? kPass : kFail);
  account.total_tests = MaybeCount();
  account.passed_tests = MaybeCount();
  account.failed_tests = MaybeCount();
  account.errors_between_tests = MaybeCount();
  return account;
}

Failure RandomHistory::AnyFailure() {
  Failure failure;
  failure.test_file = random_.OneIn(8) ? Text() : "a_test.cc";
  failure.test_name = TestName();
  failure.failure_kind = random_.Of({kAssertion, kTimeout, kUncaught, kUnknown});
  failure.error_message = MaybeMessage();
  failure.error_stack = MaybeMessage();
  failure.duration_ms = MaybeNumber();
  failure.failed_at = Time();
  if (random_.OneIn(4)) return failure;  // as another tool writes it
  failure.line = MaybeNumber();
  failure.attempt = MaybeNumber();
  failure.shuffle_seed = MaybeNumber();
  failure.preceding_test = MaybeText();
  failure.signal = MaybeText();
  failure.program = MaybeText();
  failure.parameter = MaybeText();
  return failure;
}

PartTests RandomHistory::SomeTests() {
  if (tests_.size() < 5 || random_.OneIn(10)) {
    PartTests programs;
    for (size_t tests = random_.Below(6); tests > 0; --tests) {
      PartTest& test = programs[random_.OneIn(3) ? TestName() : "program"][TestName()];
      test.counts = {static_cast<int64_t>(random_.Below(3)), static_cast<int64_t>(random_.Below(2))};
      if (test.counts == TestCounts()) test.counts.executed = 1;
      if (random_.OneIn(2)) test.duration_us = static_cast<int64_t>(random_.Below(10'000'000));
    }
    tests_.push_back(std::move(programs));
  }
  return random_.Of(tests_);
}

void RandomHistory::Describe(Run& run) {
  run.project = Project();
  for (std::optional<std::string>* fact : {&run.git_sha, &run.tree_sha, &run.branch, &run.runtime_version,
                                           &run.test_args, &run.ci_url, &run.merge_base, &run.edited_tree}) {
    *fact = MaybeText();
  }
  if (random_.OneIn(2)) run.commit_at = Time();
  run.git_dirty = random_.Of<std::optional<bool>>({std::nullopt, false, true});
}

RandomHistory::Plan RandomHistory::NewPlan() {
  Plan plan;
  RunRecord& whole = plan.whole;
  whole.run.run_id = NewRunId();
  Describe(whole.run);
  const bool has_parts = !random_.OneIn(3);
  whole.run.account = EndedAccount();
  std::set<std::string> part_ids;
  for (size_t parts = has_parts ? 1 + random_.Below(4) : 0; parts > 0; --parts) {
    Part part;
    part.part_id = random_.OneIn(4) ? Text() : "part" + std::to_string(random_.Below(8));
    if (!part_ids.insert(part.part_id).second) continue;
    part.account = EndedAccount();
    part.variant = MaybeText();
    part.shard = MaybeText();
    if (!random_.OneIn(3)) {
      // The program knows more tests than it ran, also some that another part ran.
      const PartTests tests = SomeTests();
      RegisteredTests registered;
      if (random_.OneIn(2)) registered["program"] = {"A.Registered", "Z.Registered"};
      AddRosters(whole.rosters, SetPartTests(part, tests, registered));
    }
    part.host = MaybeText();
    part.shuffle_seed = MaybeNumber();
    part.planned_tests = MaybeNumber();
    part.rank = MaybeNumber();
    whole.parts.push_back(std::move(part));
  }
  for (size_t failures = random_.Below(5); failures > 0; --failures) {
    Failure failure = AnyFailure();
    if (has_parts && !random_.OneIn(10)) failure.part_id = random_.Of(whole.parts).part_id;
    whole.failures.push_back(std::move(failure));
    if (random_.OneIn(8)) whole.failures.push_back(whole.failures.back());  // the same twice is two failures
  }
  SumParts(whole);
  return plan;
}

// What one writer may know about the run: some of its parts, some of which have not ended and lack failures; or, for a
// run without parts, what was known at its beginning or later.
RunRecord RandomHistory::SomeOf(const Plan& plan) {
  if (random_.OneIn(3)) return plan.whole;
  RunRecord some;
  some.run = plan.whole.run;
  if (random_.OneIn(3)) Describe(some.run);
  if (plan.whole.parts.empty()) {
    some.run.account = Account();
    some.run.account.started_at = plan.whole.run.account.started_at;
    for (const Failure& failure : plan.whole.failures) {
      if (random_.OneIn(2)) some.failures.push_back(failure);
    }
    return some;
  }
  std::set<std::string> unfinished;
  for (const Part& part : plan.whole.parts) {
    if (random_.OneIn(2)) continue;
    some.parts.push_back(part);
    if (!random_.OneIn(3)) continue;
    Account& account = some.parts.back().account;
    const Timestamp started_at = account.started_at;
    account = Account();
    account.started_at = started_at;
    unfinished.insert(part.part_id);
    if (random_.OneIn(3)) {  // which differs in the finished part
      some.failures.push_back(AnyFailure());
      some.failures.back().part_id = part.part_id;
    }
  }
  for (const Failure& failure : plan.whole.failures) {
    const bool sent =
        !failure.part_id || std::ranges::find(some.parts, *failure.part_id, &Part::part_id) != some.parts.end();
    if (sent && !(failure.part_id && unfinished.contains(*failure.part_id) && random_.OneIn(2))) {
      some.failures.push_back(failure);
    }
  }
  some.rosters = plan.whole.rosters;
  KeepNamedRosters(some);
  if (some.parts.empty()) {
    some.run.account = Account();
    some.run.account.started_at = Time();
  }
  SumParts(some);
  return some;
}

// A different record of the same id.
RunRecord RandomHistory::Contradiction(const Plan& plan) {
  RunRecord other = plan.whole;
  if (!other.parts.empty() && random_.OneIn(2)) {
    other.parts.back().variant = Text();
  } else if (!other.failures.empty()) {
    other.failures.back().error_message = Text();
  } else {
    other.run.test_args = Text();
  }
  return other;
}

RunRecord RandomHistory::Next(Plan& plan) {
  if (!plan.sent.empty() && random_.OneIn(6)) return random_.Of(plan.sent);
  RunRecord record = !plan.sent.empty() && random_.OneIn(8) ? Contradiction(plan) : SomeOf(plan);
  plan.sent.push_back(record);
  return record;
}

std::vector<RunRecord> RandomHistory::NextBatch() {
  std::vector<RunRecord> batch;
  std::set<std::string> ids;
  for (size_t runs = random_.OneIn(6) ? 10 + random_.Below(20) : 1 + random_.Below(5); runs > 0; --runs) {
    size_t at = random_.Below(plans_.size() + 1 + plans_.size() / 2);
    if (at >= plans_.size()) {
      Plan plan = NewPlan();
      const auto same = [&](const Plan& other) { return other.whole.run.run_id == plan.whole.run.run_id; };
      at = static_cast<size_t>(std::ranges::find_if(plans_, same) - plans_.begin());
      if (at == plans_.size()) plans_.push_back(std::move(plan));
    }
    if (!ids.insert(plans_[at].whole.run.run_id).second) continue;
    batch.push_back(Next(plans_[at]));
  }
  return batch;
}

RunFilter RandomHistory::AnyRunFilter() {
  RunFilter filter;
  if (random_.OneIn(2)) filter.project = Project();
  if (random_.OneIn(3)) filter.since = random_.OneIn(10) ? Timestamp{INT64_MIN} : Time() + random_.Of({-1, 0, 1});
  if (random_.OneIn(3)) filter.until = random_.OneIn(10) ? Timestamp{INT64_MAX} : Time() + random_.Of({-1, 0, 1});
  return filter;
}

PageRequest RandomHistory::AnyPageRequest() {
  PageRequest request;
  if (!random_.OneIn(3)) request.filter = AnyRunFilter();
  if (random_.OneIn(4)) request.after = RunKey{Time(), AnyRunId()};
  request.direction = random_.Of({Direction::kOldestFirst, Direction::kNewestFirst});
  request.detail = random_.OneIn(3) ? Detail::kRunsOnly : Detail::kFull;
  request.max_records = random_.Of<size_t>({1, 2, 3, 7, 20, 256});
  request.max_bytes = random_.Of<size_t>({1, 500, 5'000, 100'000, 4 << 20});
  return request;
}

FailureFilter RandomHistory::AnyFailureFilter() {
  FailureFilter filter;
  if (random_.OneIn(2)) filter.project = Project();
  if (random_.OneIn(2)) filter.after = Time() + random_.Of({-1, 0, 1});
  if (random_.OneIn(3)) filter.test_name = TestName();
  filter.texts = !random_.OneIn(3);
  return filter;
}

}  // namespace flaky
