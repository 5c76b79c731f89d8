// SPDX-License-Identifier: MIT
#include "stores/sqlite/writer.h"

#include <utility>

#include "stores/record_check.h"
#include "stores/sql/record_update.h"
#include "stores/sql/sqlite_dialect.h"
#include "stores/sql/tables.h"
#include "stores/sqlite/columns.h"

namespace flaky::sqlite {
namespace {

constexpr size_t kMaxKnownRosters = 10'000;

std::string InsertSql(const std::string& table, const std::vector<std::string>& columns) {
  std::string marks;
  for (size_t i = 0; i < columns.size(); ++i) marks += i == 0 ? "?" : ", ?";
  return InsertInto(table, columns) + " VALUES (" + marks + ")";
}

}  // namespace

Writer::Writer(Connection& connection, Reader& reader)
    : connection_(connection),
      reader_(reader),
      insert_run_(connection.db(),
                  InsertSql(connection.Table("runs"), Columns().runs) + " ON CONFLICT (run_id) DO NOTHING"),
      update_run_(connection.db(),
                  "UPDATE " + connection.Table("runs") + " SET " + Assignments(Columns().runs) + " WHERE run_id = ?"),
      insert_roster_(connection.db(), InsertSql(connection.Table("rosters"), {"roster_id", "tests"}) +
                                          " ON CONFLICT (roster_id) DO NOTHING"),
      put_part_(connection.db(), InsertSql(connection.Table("parts"), AndRunId(Columns().parts)) + OrReplacePart()),
      insert_failure_(connection.db(), InsertSql(connection.Table("failures"), WrittenOfFailure())),
      move_failures_(connection.db(), "UPDATE " + connection.Table("failures") + " SET project = ? WHERE run_id = ?"),
      delete_failure_(connection.db(), "DELETE FROM " + connection.Table("failures") + " WHERE id = ?"),
      delete_part_(connection.db(), "DELETE FROM " + connection.Table("parts") + " WHERE run_id = ? AND part_id = ?"),
      data_version_(connection.db(), "PRAGMA data_version") {}

std::vector<WriteResult> Writer::Write(std::span<const RunRecord> records, OnExisting on_existing) {
  std::vector<WriteResult> results;
  results.reserve(records.size());
  RecordCheck check(connection_.name());
  for (const RunRecord& record : records) check.Check(record);

  SQLite::Transaction transaction(connection_.db(), SQLite::TransactionBehavior::IMMEDIATE);
  new_rosters_.clear();
  ForgetRostersIfOthersWrote();
  for (const RunRecord& record : records) results.push_back(WriteOne(record, on_existing));
  transaction.commit();
  known_rosters_.merge(new_rosters_);
  return results;
}

WriteResult Writer::WriteOne(const RunRecord& record, OnExisting on_existing) {
  if (InsertRun(record.run)) {
    InsertRosters(record);
    for (const Part& part : record.parts) PutPart(record.run.run_id, part);
    for (const Failure& failure : record.failures) InsertFailure(record.run, failure);
    return {WriteResult::Outcome::kInserted, {}};
  }
  const auto known = reader_.Load(record.run.run_id);
  Resolution resolution = Resolve(known->record, record, on_existing);
  if (resolution.Changes()) Complete(*known, resolution.record);
  return std::move(resolution.result);
}

void Writer::Complete(const StoredRecord& known, const RunRecord& wanted) {
  const std::string& run_id = wanted.run.run_id;
  const RecordUpdate update = RecordUpdateOf(known, wanted);
  if (update.run) UpdateRun(wanted.run);
  if (update.project) MoveFailures(wanted.run);
  InsertRosters(wanted);
  for (const Part* part : update.parts) PutPart(run_id, *part);
  for (const Failure* failure : update.new_failures) InsertFailure(wanted.run, *failure);
  for (const int64_t id : update.old_failures) {
    ScopedReset statement(delete_failure_);
    statement->bind(1, id);
    statement->executeStep();
  }
  for (const std::string& part_id : update.old_parts) {
    ScopedReset statement(delete_part_);
    BindText(delete_part_, 1, run_id);
    BindText(delete_part_, 2, part_id);
    statement->exec();
  }
}

CopyClaim Writer::Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) {
  const ClaimStatements sql = StatementsOfClaim(connection_.tables());
  SQLite::Transaction transaction(connection_.db(), SQLite::TransactionBehavior::IMMEDIATE);
  SQLite::Statement change(connection_.db(), lease.count() > 0 ? sql.take : sql.give_up);
  BindText(change, 1, holder);
  if (lease.count() > 0) {
    change.bind(2, int64_t{lease.count()});
    BindText(change, 3, instead_of);
  }
  change.exec();
  CopyClaim claim;
  SQLite::Statement look(connection_.db(), sql.look);
  if (look.executeStep()) claim = {look.getColumn(0).getString(), std::chrono::seconds(look.getColumn(1).getInt64())};
  transaction.commit();
  return claim;
}

bool Writer::InsertRun(const Run& run) {
  RowWriter bind(insert_run_, 1);
  ScopedReset statement(insert_run_);
  VisitRun(run, bind);
  return statement->exec() > 0;
}

void Writer::UpdateRun(const Run& run) {
  RowWriter bind(update_run_, 1);
  ScopedReset statement(update_run_);
  VisitRun(run, bind);
  BindText(update_run_, bind.next(), run.run_id);
  statement->exec();
}

void Writer::PutPart(const std::string& run_id, const Part& part) {
  RowWriter bind(put_part_, 1);
  ScopedReset statement(put_part_);
  VisitPart(part, bind);
  BindText(put_part_, bind.next(), run_id);
  statement->exec();
}

void Writer::InsertFailure(const Run& run, const Failure& failure) {
  RowWriter bind(insert_failure_, 1);
  ScopedReset statement(insert_failure_);
  VisitFailure(failure, bind);
  bind("run_id", run.run_id);
  bind("project", run.project);
  statement->exec();
}

// Changes the project of a run's failures to that of the run.
void Writer::MoveFailures(const Run& run) {
  RowWriter bind(move_failures_, 1);
  ScopedReset statement(move_failures_);
  bind("project", run.project);
  bind("run_id", run.run_id);
  statement->exec();
}

void Writer::InsertRosters(const RunRecord& record) {
  for (const RosterPtr& roster : record.rosters) {
    if (known_rosters_.contains(roster->roster_id) || !new_rosters_.insert(roster->roster_id).second) continue;
    ScopedReset statement(insert_roster_);
    BindText(insert_roster_, 1, roster->roster_id);
    BindText(insert_roster_, 2, roster->tests);
    statement->exec();
  }
}

// Another process may have removed rosters that we know.
void Writer::ForgetRostersIfOthersWrote() {
  ScopedReset statement(data_version_);
  statement->executeStep();
  const int64_t version = statement->getColumn(0).getInt64();
  if (version != seen_data_version_ || known_rosters_.size() > kMaxKnownRosters) known_rosters_.clear();
  seen_data_version_ = version;
}

}  // namespace flaky::sqlite
