// SPDX-License-Identifier: MIT
#include "stores/turso/writer.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>

#include "history/fields.h"
#include "history/merge.h"
#include "stores/record_check.h"
#include "stores/turso/columns.h"

namespace flaky::turso {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kOperation = "write runs";

// The limits of a chunk, which is written in one transaction. The server protects a transaction from other writers for
// five seconds; a chunk takes a tenth of a second. A record is never split between chunks, whatever its size.
constexpr size_t kChunkBytes = 3 << 20;
constexpr size_t kChunkRows = 8000;

// The largest number of new runs that is checked before the transaction waits for the lock. A write of few runs mostly
// has many concurrent writers (the parts of one run), and those that would fail must not keep the others waiting.
constexpr size_t kMostChecked = 16;

constexpr size_t kMaxKnownRosters = 10'000;

// How long a chunk is tried again while other writers are faster. After kTriesTogether tries it is written in two
// halves, so that a conflict over one record doesn't stop the others.
constexpr std::chrono::seconds kPatience{30};
constexpr int kTriesTogether = 3;
constexpr int kFirstPauseMs = 4;
constexpr int kLongestPauseMs = 4000;

size_t RowsOf(const RunRecord& record) { return 1 + record.parts.size() + record.failures.size(); }

// Returns how long the answer with this record may be if it is read row by row: its texts are in base64.
size_t LongestAnswerWith(const RunRecord& record, size_t bytes) {
  constexpr size_t kBytesOfRow = 640;  // without texts
  for (const RosterPtr& roster : record.rosters) bytes += roster->tests.size();
  return bytes / 3 * 4 + (RowsOf(record) + record.rosters.size()) * kBytesOfRow;
}

void Pause(int tries) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const int most = std::min(kFirstPauseMs << std::min(tries, 10), kLongestPauseMs);
  std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution<int>(0, most * 1000)(random)));
}

// Returns a statement that writes nothing and fails if the condition holds: it inserts a run without its time.
std::string FailIf(const SqliteTables& tables, const std::string& condition) {
  return "INSERT INTO " + tables("runs") + " (run_id, started_at) SELECT '', NULL WHERE " + condition;
}

// Returns the same as a statement that only reads, and so needs no lock. If the condition holds it is 1, and the
// absolute value of the difference is more than an integer can hold.
std::string CheckNot(const std::string& condition) { return "SELECT abs(-9223372036854775807 - (" + condition + "))"; }
bool SaysCheckNot(const HranaError& error) { return error.message.find("integer overflow") != error.message.npos; }

bool IsInfinite(const HranaValue& value) { return value.type == HranaValue::Type::kFloat && std::isinf(value.real); }
bool IsUnusual(const HranaValue& value) { return IsInfinite(value) || value.type == HranaValue::Type::kRawText; }

// Returns the condition that a run's row, or the number of its parts or failures, has changed. `row`: the old values,
// if any is unusual; an infinite number can't be a parameter.
std::string HasChanged(const SqliteTables& tables, std::span<const HranaValue> row = {}) {
  std::string same;
  for (size_t i = 0; i < Columns().runs.size(); ++i) {
    const std::string value = "r." + Columns().runs[i];
    if (row.empty() || !IsUnusual(row[i])) {
      same += value + " IS ? AND ";
    } else {
      same += IsInfinite(row[i]) ? "abs(" + value + ") IS 9e999 AND " : value + " IS CAST(? AS TEXT) AND ";
    }
  }
  return "NOT EXISTS (SELECT 1 FROM " + tables("runs") + " r WHERE " + same + "(SELECT count(*) FROM " +
         tables("parts") + " p WHERE p.run_id = r.run_id) = ? AND (SELECT count(p.ended_at) FROM " + tables("parts") +
         " p WHERE p.run_id = r.run_id) = ? AND (SELECT count(*) FROM " + tables("failures") +
         " f WHERE f.run_id = r.run_id) = ? AND (SELECT coalesce(max(f.id), 0) FROM " + tables("failures") +
         " f WHERE f.run_id = r.run_id) = ?)";
}

}  // namespace

// The rows to be written, and the conditions under which they may be written.
struct Writer::Plan {
  explicit Plan(const SqliteTables& tables)
      : runs(InsertInto(tables("runs"), Columns().runs), Columns().runs.size()),
        rosters(InsertInto(tables("rosters"), {"roster_id", "tests"}), 2, " ON CONFLICT (roster_id) DO NOTHING"),
        parts(InsertInto(tables("parts"), AndRunId(Columns().parts)), Columns().parts.size() + 1, OrReplacePart()),
        failures(InsertInto(tables("failures"), WrittenOfFailure()), WrittenOfFailure().size()) {}

  std::vector<HranaStatement> checks;
  std::vector<HranaStatement> guards;
  RowInsertion runs;
  std::vector<HranaStatement> updates;
  RowInsertion rosters;
  RowInsertion parts;
  RowInsertion failures;
  std::string old_failures;  // their ids, separated by commas

  std::unordered_set<std::string> new_rosters;
  std::unordered_set<std::string> known_rosters;  // rosters that must still be in the database
  bool empty = true;
};

Writer::Writer(Connection& connection, Reader& reader)
    : connection_(connection),
      reader_(reader),
      check_new_sql_(CheckNot("EXISTS (SELECT 1 FROM " + connection.tables()("runs") +
                              " WHERE run_id IN (SELECT value FROM json_each(?)))")),
      check_sql_(CheckNot(HasChanged(connection.tables()))),
      guard_sql_(FailIf(connection.tables(), HasChanged(connection.tables()))),
      roster_guard_sql_(FailIf(connection.tables(), "(SELECT count(*) FROM " + connection.tables()("rosters") +
                                                        " WHERE roster_id IN (SELECT value FROM json_each(?))) <> ?")),
      update_run_sql_("UPDATE " + connection.tables()("runs") + " SET " + Assignments(Columns().runs) +
                      " WHERE run_id = ?"),
      move_failures_sql_("UPDATE " + connection.tables()("failures") + " SET project = ? WHERE run_id = ?"),
      delete_failures_sql_("DELETE FROM " + connection.tables()("failures") +
                           " WHERE id IN (SELECT value FROM json_each(?))"),
      delete_part_sql_("DELETE FROM " + connection.tables()("parts") + " WHERE run_id = ? AND part_id = ?") {}

std::vector<WriteResult> Writer::Write(std::span<const RunRecord> records, OnExisting on_existing) {
  on_existing_ = on_existing;
  RecordCheck check(connection_.name());
  std::vector<size_t> bytes;
  bytes.reserve(records.size());
  for (const RunRecord& record : records) {
    check.Check(record);
    bytes.push_back(CheckRowSizes(record, kMaxRowBytes, connection_.name()));
    if (LongestAnswerWith(record, bytes.back()) > kLongestRun) {
      connection_.Fail(ErrorKind::kInvalid, "write run '" + record.run.run_id + "'",
                       "it has " + std::to_string(bytes.back()) + " bytes of text in " +
                           std::to_string(RowsOf(record)) + " rows, which is too much to be read again");
    }
  }
  std::vector<WriteResult> results(records.size());
  for (size_t begin = 0; begin < records.size();) {
    size_t chunk_rows = 0;
    size_t chunk_bytes = 0;
    size_t end = begin;
    do {
      chunk_rows += RowsOf(records[end]);
      chunk_bytes += bytes[end];
      ++end;
    } while (end < records.size() && chunk_rows + RowsOf(records[end]) <= kChunkRows &&
             chunk_bytes + bytes[end] <= kChunkBytes);
    WriteChunk(records.subspan(begin, end - begin), std::span(results).subspan(begin, end - begin));
    begin = end;
  }
  return results;
}

void Writer::WriteChunk(std::span<const RunRecord> records, std::span<WriteResult> results) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  bool look = look_first_;
  for (int tries = 1; !TryChunk(records, results, look); ++tries) {
    // The first failure may only mean that the runs exist already. So only later ones pause.
    if (look) Pause(tries);
    look = true;
    if (tries >= kTriesTogether && records.size() > 1) {
      const size_t half = records.size() / 2;
      WriteChunk(records.first(half), results.first(half));
      WriteChunk(records.subspan(half), results.subspan(half));
      return;
    }
    if (Clock::now() > deadline) {
      connection_.Fail(ErrorKind::kTransient, kOperation, "gave up: concurrent writers kept changing the same runs");
    }
  }
}

bool Writer::TryChunk(std::span<const RunRecord> records, std::span<WriteResult> results, bool look) {
  std::unordered_map<std::string_view, const StoredRun*> known;
  std::vector<StoredRun> stored;
  if (look) {
    stored = reader_.Load(RunIdsOf(records));
    for (const StoredRun& run : stored) known.emplace(run.record.run.run_id, &run);
    look_first_ = !stored.empty();
  }

  Plan plan(connection_.tables());
  std::vector<std::string> new_ids;
  for (size_t i = 0; i < records.size(); ++i) {
    const auto found = known.find(records[i].run.run_id);
    if (found == known.end()) {
      AddNew(plan, records[i]);
      new_ids.push_back(records[i].run.run_id);
      results[i] = {WriteResult::Outcome::kInserted, {}};
    } else {
      results[i] = AddKnown(plan, *found->second, records[i]);
    }
  }
  if (!new_ids.empty() && new_ids.size() <= kMostChecked) {
    plan.checks.emplace_back(check_new_sql_).Text(JsonArray(new_ids));
  }
  return plan.empty || Execute(plan);
}

void Writer::AddNew(Plan& plan, const RunRecord& record) const {
  plan.empty = false;
  plan.runs.Add([&](auto& fields) { VisitRun(record.run, fields); });
  AddRosters(plan, record);
  for (const Part& part : record.parts) AddPart(plan, record.run.run_id, part);
  for (const Failure& failure : record.failures) AddFailure(plan, record.run, failure);
}

WriteResult Writer::AddKnown(Plan& plan, const StoredRun& stored, const RunRecord& record) const {
  Resolution resolution = Resolve(stored.record, record, on_existing_);
  if (!resolution.Changes()) return std::move(resolution.result);
  plan.empty = false;
  AddGuard(plan, stored);
  const RunRecord& merged = resolution.record;
  const RecordUpdate update = RecordUpdateOf(stored, merged);
  if (update.run) {
    HranaStatement& statement = plan.updates.emplace_back(update_run_sql_);
    RowWriter bind(statement);
    VisitRun(merged.run, bind);
    statement.Text(merged.run.run_id);
  }
  if (update.project) {
    plan.updates.emplace_back(move_failures_sql_).TextOrNull(merged.run.project).Text(merged.run.run_id);
  }
  AddRosters(plan, merged);
  for (const Part* part : update.parts) AddPart(plan, merged.run.run_id, *part);
  for (const Failure* failure : update.new_failures) AddFailure(plan, merged.run, *failure);
  for (const int64_t id : update.old_failures) {
    plan.old_failures += (plan.old_failures.empty() ? "" : ",") + std::to_string(id);
  }
  for (const std::string& part_id : update.old_parts) {
    plan.updates.emplace_back(delete_part_sql_).Text(merged.run.run_id).Text(part_id);
  }
  return std::move(resolution.result);
}

CopyClaim Writer::Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) {
  constexpr std::string_view kClaim = "claim the store for a copy";
  const ClaimStatements sql = StatementsOfClaim(connection_.tables());
  HranaStatement change(lease.count() > 0 ? sql.take : sql.give_up);
  change.Text(holder);
  if (lease.count() > 0) change.Integer(lease.count()).Text(instead_of);
  const HranaOutcome outcome = connection_.Transact({}, std::span(&change, 1), kClaim);
  if (!outcome.committed) connection_.Throw(outcome.error, kClaim);

  const HranaAnswer answer = connection_.Read(HranaStatement(sql.look).Selects(2), kClaim);
  const HranaResult& rows = answer.results.front();
  if (rows.rows() == 0) return {};
  CopyClaim claim;
  claim.holder = connection_.TextOf(rows.row(0)[0], kClaim);
  if (rows.row(0)[1].type != HranaValue::Type::kInteger) connection_.FailMalformed(kClaim);
  claim.lapses = std::chrono::seconds(rows.row(0)[1].integer);
  return claim;
}

void Writer::AddGuard(Plan& plan, const StoredRun& stored) const {
  const auto ended =
      std::ranges::count_if(stored.record.parts, [](const Part& part) { return part.account.ended_at.has_value(); });
  const bool unusual = std::ranges::any_of(stored.values, IsUnusual);
  const std::string changed = unusual ? HasChanged(connection_.tables(), stored.values) : "";
  for (HranaStatement* guard :
       {&plan.checks.emplace_back(unusual ? CheckNot(changed) : check_sql_),
        &plan.guards.emplace_back(unusual ? FailIf(connection_.tables(), changed) : guard_sql_)}) {
    for (const HranaValue& value : stored.values) {
      if (!IsInfinite(value)) guard->Value(value);
    }
    guard->Integer(static_cast<int64_t>(stored.record.parts.size()))
        .Integer(ended)
        .Integer(static_cast<int64_t>(stored.failure_ids.size()))
        .Integer(stored.failure_ids.empty() ? 0 : std::ranges::max(stored.failure_ids));
  }
}

void Writer::AddRosters(Plan& plan, const RunRecord& record) const {
  for (const RosterPtr& roster : record.rosters) {
    if (known_rosters_.contains(roster->roster_id)) {
      plan.known_rosters.insert(roster->roster_id);
    } else if (plan.new_rosters.insert(roster->roster_id).second) {
      plan.rosters.Add([&](auto& fields) {
        fields("roster_id", roster->roster_id);
        fields("tests", roster->tests);
      });
    }
  }
}

void Writer::AddPart(Plan& plan, const std::string& run_id, const Part& part) {
  plan.parts.Add([&](auto& fields) {
    VisitPart(part, fields);
    fields("run_id", run_id);
  });
}

void Writer::AddFailure(Plan& plan, const Run& run, const Failure& failure) {
  plan.failures.Add([&](auto& fields) {
    VisitFailure(failure, fields);
    fields("run_id", run.run_id);
    fields("project", run.project);
  });
}

// Writes all of the plan or nothing. Returns false if other writers were faster.
bool Writer::Execute(Plan& plan) {
  std::vector<HranaStatement> statements = std::move(plan.guards);
  if (!plan.known_rosters.empty()) {
    const std::vector<std::string> ids(plan.known_rosters.begin(), plan.known_rosters.end());
    statements.emplace_back(roster_guard_sql_).Text(JsonArray(ids)).Integer(static_cast<int64_t>(ids.size()));
  }
  plan.runs.MoveTo(statements);
  const size_t contended = statements.size();
  std::ranges::move(plan.updates, std::back_inserter(statements));
  plan.rosters.MoveTo(statements);
  plan.parts.MoveTo(statements);
  if (!plan.old_failures.empty()) {
    statements.emplace_back(delete_failures_sql_).Text("[" + plan.old_failures + "]");
  }
  plan.failures.MoveTo(statements);

  const HranaOutcome outcome = connection_.Transact(plan.checks, statements, kOperation);
  if (outcome.committed) {
    if (known_rosters_.size() > kMaxKnownRosters) known_rosters_.clear();
    known_rosters_.merge(plan.new_rosters);
    return true;
  }
  const bool stale =
      outcome.check_failed ? SaysCheckNot(outcome.error) : outcome.failed < contended && IsConstraint(outcome.error);
  if (!stale) connection_.Throw(outcome.error, kOperation);
  if (!plan.known_rosters.empty()) known_rosters_.clear();
  return false;
}

}  // namespace flaky::turso
