// SPDX-License-Identifier: MIT
#include "stores/postgres/change.h"

#include <utility>

#include "history/text.h"
#include "stores/postgres/binary.h"
#include "stores/sql/tables.h"

namespace flaky::postgres {
namespace {

const std::vector<TypedColumn>& RosterColumns() {
  static const std::vector<TypedColumn> columns = {{"roster_id", ColumnType::kText}, {"tests", ColumnType::kText}};
  return columns;
}

// A failure also has the project of its run.
const std::vector<TypedColumn>& FailureColumns() {
  static const std::vector<TypedColumn> columns = [] {
    std::vector<TypedColumn> list = TypedColumns().failures;
    list.push_back({"project", ColumnType::kText});
    return list;
  }();
  return columns;
}

const std::vector<TypedColumn>& MoveColumns() {
  static const std::vector<TypedColumn> columns = {{"run_id", ColumnType::kText}, {"project", ColumnType::kText}};
  return columns;
}

const std::vector<TypedColumn>& FailureKeyColumns() {
  static const std::vector<TypedColumn> columns = {{"run_id", ColumnType::kText}, {"id", ColumnType::kNumber}};
  return columns;
}

const std::vector<TypedColumn>& PartKey() {
  static const std::vector<TypedColumn> columns = {{"run_id", ColumnType::kText}, {"part_id", ColumnType::kText}};
  return columns;
}

// Returns `a = FROM.a, …` for all columns except for those of the key.
std::string Assignments(const std::vector<TypedColumn>& columns, const std::string& from) {
  std::string list;
  for (const TypedColumn& column : columns) {
    if (column.name == "run_id" || column.name == "part_id") continue;
    list += (list.empty() ? "" : ", ") + column.name + " = " + from + "." + column.name;
  }
  return list;
}

// Joins statements to one by naming each of them in its WITH clause.
class Statements {
 public:
  void Add(const std::string& statement) {
    sql_ += (sql_.empty() ? "WITH s" : ", s") + std::to_string(count_++) + " AS (" + statement + ")";
  }
  std::string EndingWith(const std::string& statement) const { return sql_ + " " + statement; }

 private:
  std::string sql_;
  int count_ = 0;
};

}  // namespace

Change::Change(const Connection& connection)
    : connection_(connection),
      runs_(TypedColumns().runs),
      parts_(TypedColumns().parts),
      failures_(FailureColumns()),
      moved_(MoveColumns()),
      removed_(FailureKeyColumns()) {}

void Change::AddPart(const std::string& run_id, const Part& part) {
  VisitPart(part, parts_);
  parts_("run_id", run_id);
}

void Change::AddFailure(const Run& run, const Failure& failure) {
  VisitFailure(failure, failures_);
  failures_("run_id", run.run_id);
  failures_("project", run.project);
}

void Change::AddRosters(const RunRecord& record) {
  for (const RosterPtr& roster : record.rosters) rosters_.emplace(roster->roster_id, roster.get());
}

void Change::AddNew(const RunRecord& record) {
  VisitRun(record.run, runs_);
  for (const Part& part : record.parts) AddPart(record.run.run_id, part);
  for (const Failure& failure : record.failures) AddFailure(record.run, failure);
  AddRosters(record);
}

void Change::AddRecordUpdate(const RunRecord& wanted, const RecordUpdate& update) {
  const std::string& run_id = wanted.run.run_id;
  if (update.run) VisitRun(wanted.run, runs_);
  if (update.project) {
    moved_("run_id", run_id);
    moved_("project", wanted.run.project);
  }
  for (const Part* part : update.parts) AddPart(run_id, *part);
  for (const Failure* failure : update.new_failures) AddFailure(wanted.run, *failure);
  if (!update.parts.empty()) AddRosters(wanted);
  for (const int64_t id : update.old_failures) {
    removed_("run_id", run_id);
    removed_("id", id);
  }
  for (const std::string& part_id : update.old_parts) removed_parts_.emplace_back(run_id, part_id);
}

std::string Change::Insert(std::string_view table, const std::vector<TypedColumn>& columns, RowWriter& rows,
                           BinaryValues& values) const {
  const std::string names = Join(NamesOf(columns), ", ");
  return "INSERT INTO " + connection_.Table(table) + " (" + names + ") SELECT " + names + " FROM " +
         rows.Unnest(values) + " AS n (" + names + ")";
}

std::string Change::InsertRosters(BinaryValues& values) const {
  RowWriter rows(RosterColumns());
  for (const auto& [roster_id, roster] : rosters_) {
    rows("roster_id", roster->roster_id);
    rows("tests", roster->tests);
  }
  return Insert("rosters", RosterColumns(), rows, values) + " ON CONFLICT (roster_id) DO NOTHING";
}

// Parts and failures of a run that the same statement inserts can't exist yet. The foreign keys are checked at the end
// of the statement.
pqxx::result Change::InsertNew(pqxx::transaction_base& transaction) {
  const std::string of_new_runs = " WHERE n.run_id IN (SELECT run_id FROM s0)";
  BinaryValues values;
  Statements statements;
  statements.Add(Insert("runs", TypedColumns().runs, runs_, values) +
                 " ON CONFLICT (run_id) DO NOTHING RETURNING run_id");
  if (!rosters_.empty()) statements.Add(InsertRosters(values));
  if (!parts_.empty()) statements.Add(Insert("parts", TypedColumns().parts, parts_, values) + of_new_runs);
  if (!failures_.empty()) statements.Add(Insert("failures", FailureColumns(), failures_, values) + of_new_runs);
  return Execute(transaction, statements.EndingWith("SELECT run_id FROM s0"), std::move(values));
}

void Change::Complete(pqxx::transaction_base& transaction) {
  BinaryValues values;
  Statements statements;
  if (!runs_.empty()) {
    const std::vector<TypedColumn>& columns = TypedColumns().runs;
    statements.Add("UPDATE " + connection_.Table("runs") + " r SET " + Assignments(columns, "n") + " FROM " +
                   runs_.Unnest(values) + " AS n (" + Join(NamesOf(columns), ", ") + ") WHERE r.run_id = n.run_id");
  }
  if (!rosters_.empty()) statements.Add(InsertRosters(values));
  if (!parts_.empty()) {
    const std::vector<TypedColumn>& columns = TypedColumns().parts;
    statements.Add(Insert("parts", columns, parts_, values) + " ON CONFLICT (run_id, part_id) DO UPDATE SET " +
                   Assignments(columns, "excluded"));
  }
  if (!failures_.empty()) statements.Add(Insert("failures", FailureColumns(), failures_, values));
  if (!removed_.empty()) {
    statements.Add("DELETE FROM " + connection_.Table("failures") + " f USING " + removed_.Unnest(values) +
                   " AS n (run_id, id) WHERE f.run_id = n.run_id AND f.id = n.id");
  }
  if (!removed_parts_.empty()) {
    RowWriter keys(PartKey());
    for (const auto& [run_id, part_id] : removed_parts_) {
      keys("run_id", run_id);
      keys("part_id", part_id);
    }
    statements.Add("DELETE FROM " + connection_.Table("parts") + " p USING " + keys.Unnest(values) +
                   " AS n (run_id, part_id) WHERE p.run_id = n.run_id AND p.part_id = n.part_id");
  }
  Execute(transaction, statements.EndingWith("SELECT"), std::move(values));
  if (!moved_.empty()) Move(transaction);
}

// By itself, because one statement can't change a row and delete it, and last, because every write locks the tables in
// the same order.
void Change::Move(pqxx::transaction_base& transaction) {
  BinaryValues values;
  const std::string moved = moved_.Unnest(values);
  Execute(transaction,
          "UPDATE " + connection_.Table("failures") + " f SET project = n.project FROM " + moved +
              " AS n (run_id, project) WHERE f.run_id = n.run_id AND f.project IS DISTINCT FROM n.project",
          std::move(values));
}

}  // namespace flaky::postgres
