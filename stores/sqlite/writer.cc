#include "stores/sqlite/writer.h"

#include <utility>

#include "stores/completion.h"
#include "stores/record_check.h"
#include "stores/sqlite/columns.h"
#include "stores/sqlite/queries.h"
#include "stores/tables.h"

namespace flaky {
namespace {

constexpr size_t kMaxKnownRosters = 10'000;

std::string InsertSql(const std::string& table, const std::vector<std::string>& columns) {
  std::string marks;
  for (size_t i = 0; i < columns.size(); ++i) marks += i == 0 ? "?" : ", ?";
  return InsertInto(table, columns) + " VALUES (" + marks + ")";
}

}  // namespace

SqliteWriter::SqliteWriter(SqliteConnection& connection, SqliteReader& reader)
    : connection_(connection),
      reader_(reader),
      insert_run_(connection.db(),
                  InsertSql(connection.Table("runs"), Columns().runs) + " ON CONFLICT (run_id) DO NOTHING"),
      update_run_(connection.db(),
                  "UPDATE " + connection.Table("runs") + " SET " + Join(Columns().runs, " = ?") + " WHERE run_id = ?"),
      insert_roster_(connection.db(), InsertSql(connection.Table("rosters"), {"roster_id", "tests"}) +
                                          " ON CONFLICT (roster_id) DO NOTHING"),
      put_part_(connection.db(), InsertSql(connection.Table("parts"), AndRunId(Columns().parts)) + OrReplacePart()),
      insert_failure_(connection.db(), InsertSql(connection.Table("failures"), AndRunId(Columns().failures))),
      delete_failure_(connection.db(), "DELETE FROM " + connection.Table("failures") + " WHERE id = ?"),
      data_version_(connection.db(), "PRAGMA data_version") {}

std::vector<WriteResult> SqliteWriter::Write(std::span<const RunRecord> records) {
  std::vector<WriteResult> results;
  results.reserve(records.size());
  RecordCheck check(connection_.name());
  for (const RunRecord& record : records) check.Check(record);

  SQLite::Transaction transaction(connection_.db(), SQLite::TransactionBehavior::IMMEDIATE);
  new_rosters_.clear();
  ForgetRostersIfOthersWrote();
  for (const RunRecord& record : records) results.push_back(WriteOne(record));
  transaction.commit();
  known_rosters_.merge(new_rosters_);
  return results;
}

WriteResult SqliteWriter::WriteOne(const RunRecord& record) {
  if (InsertRun(record.run)) {
    InsertRosters(record);
    for (const Part& part : record.parts) PutPart(record.run.run_id, part);
    for (const Failure& failure : record.failures) InsertFailure(record.run.run_id, failure);
    return {WriteResult::Outcome::kInserted, {}};
  }
  const auto known = reader_.Load(record.run.run_id);
  Merge merge = MergeRecords(known->record, record);
  switch (merge.outcome) {
    case MergeOutcome::kEqual:
    case MergeOutcome::kContained:
      return {WriteResult::Outcome::kUnchanged, {}};
    case MergeOutcome::kConflict:
      return {WriteResult::Outcome::kConflict, std::move(merge.conflict)};
    case MergeOutcome::kCompleted:
      break;
  }
  Complete(*known, merge.merged);
  return {WriteResult::Outcome::kCompleted, {}};
}

void SqliteWriter::Complete(const StoredRecord& known, const RunRecord& merged) {
  const std::string& run_id = merged.run.run_id;
  const Completion completion = CompletionOf(known, merged);
  if (completion.run) UpdateRun(merged.run);
  InsertRosters(merged);
  for (const Part* part : completion.parts) PutPart(run_id, *part);
  for (const Failure* failure : completion.new_failures) InsertFailure(run_id, *failure);
  for (const int64_t id : completion.old_failures) {
    StatementUse statement(delete_failure_);
    statement->bind(1, id);
    statement->executeStep();
  }
}

bool SqliteWriter::InsertRun(const Run& run) {
  FieldBinder bind(insert_run_, 1);
  StatementUse statement(insert_run_);
  VisitRun(run, bind);
  return statement->exec() > 0;
}

void SqliteWriter::UpdateRun(const Run& run) {
  FieldBinder bind(update_run_, 1);
  StatementUse statement(update_run_);
  VisitRun(run, bind);
  BindText(update_run_, bind.next(), run.run_id);
  statement->exec();
}

void SqliteWriter::PutPart(const std::string& run_id, const Part& part) {
  FieldBinder bind(put_part_, 1);
  StatementUse statement(put_part_);
  VisitPart(part, bind);
  BindText(put_part_, bind.next(), run_id);
  statement->exec();
}

void SqliteWriter::InsertFailure(const std::string& run_id, const Failure& failure) {
  FieldBinder bind(insert_failure_, 1);
  StatementUse statement(insert_failure_);
  VisitFailure(failure, bind);
  BindText(insert_failure_, bind.next(), run_id);
  statement->exec();
}

void SqliteWriter::InsertRosters(const RunRecord& record) {
  for (const RosterPtr& roster : record.rosters) {
    if (known_rosters_.contains(roster->roster_id) || !new_rosters_.insert(roster->roster_id).second) continue;
    StatementUse statement(insert_roster_);
    BindText(insert_roster_, 1, roster->roster_id);
    BindText(insert_roster_, 2, roster->tests);
    statement->exec();
  }
}

// Somebody else may have removed rosters that we know.
void SqliteWriter::ForgetRostersIfOthersWrote() {
  StatementUse statement(data_version_);
  statement->executeStep();
  const int64_t version = statement->getColumn(0).getInt64();
  if (version != seen_data_version_ || known_rosters_.size() > kMaxKnownRosters) known_rosters_.clear();
  seen_data_version_ = version;
}

}  // namespace flaky
