#include "stores/postgres/change.h"

#include <utility>

#include "stores/postgres/binary.h"
#include "stores/sql/tables.h"

namespace flaky {
namespace {

const std::vector<TypedColumn>& RosterColumns() {
  static const std::vector<TypedColumn> columns = {{"roster_id", ColumnType::kText}, {"tests", ColumnType::kText}};
  return columns;
}

const std::vector<TypedColumn>& PartKey() {
  static const std::vector<TypedColumn> columns = {{"run_id", ColumnType::kText}, {"part_id", ColumnType::kText}};
  return columns;
}

// `a = FROM.a, …` of all columns but those of the key.
std::string Assignments(const std::vector<TypedColumn>& columns, const std::string& from) {
  std::string list;
  for (const TypedColumn& column : columns) {
    if (column.name == "run_id" || column.name == "part_id") continue;
    list += (list.empty() ? "" : ", ") + column.name + " = " + from + "." + column.name;
  }
  return list;
}

// The statements, named, become one.
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

PostgresChange::PostgresChange(const PostgresConnection& connection)
    : connection_(connection),
      runs_(TypedColumns().runs),
      parts_(TypedColumns().parts),
      failures_(TypedColumns().failures) {}

void PostgresChange::AddPart(const std::string& run_id, const Part& part) {
  VisitPart(part, parts_);
  parts_("run_id", run_id);
}

void PostgresChange::AddFailure(const std::string& run_id, const Failure& failure) {
  VisitFailure(failure, failures_);
  failures_("run_id", run_id);
}

void PostgresChange::AddRosters(const RunRecord& record) {
  for (const RosterPtr& roster : record.rosters) rosters_.emplace(roster->roster_id, roster.get());
}

void PostgresChange::AddNew(const RunRecord& record) {
  VisitRun(record.run, runs_);
  for (const Part& part : record.parts) AddPart(record.run.run_id, part);
  for (const Failure& failure : record.failures) AddFailure(record.run.run_id, failure);
  AddRosters(record);
}

void PostgresChange::AddRecordUpdate(const RunRecord& wanted, const RecordUpdate& completion) {
  const std::string& run_id = wanted.run.run_id;
  if (completion.run) VisitRun(wanted.run, runs_);
  for (const Part* part : completion.parts) AddPart(run_id, *part);
  for (const Failure* failure : completion.new_failures) AddFailure(run_id, *failure);
  if (!completion.parts.empty()) AddRosters(wanted);
  removed_.insert(removed_.end(), completion.old_failures.begin(), completion.old_failures.end());
  for (const std::string& part_id : completion.old_parts) removed_parts_.emplace_back(run_id, part_id);
}

std::string PostgresChange::Insert(std::string_view table, const std::vector<TypedColumn>& columns, RowArrays& rows,
                                   BinaryValues& values) const {
  const std::string names = Join(NamesOf(columns));
  return "INSERT INTO " + connection_.Table(table) + " (" + names + ") SELECT " + names + " FROM " +
         rows.Unnest(values) + " AS n (" + names + ")";
}

std::string PostgresChange::InsertRosters(BinaryValues& values) const {
  RowArrays rows(RosterColumns());
  for (const auto& [roster_id, roster] : rosters_) {
    rows("roster_id", roster->roster_id);
    rows("tests", roster->tests);
  }
  return Insert("rosters", RosterColumns(), rows, values) + " ON CONFLICT (roster_id) DO NOTHING";
}

// What belongs to a run that was inserted just now cannot be there yet. The foreign keys are checked at the statement's
// end.
pqxx::result PostgresChange::InsertNew(pqxx::transaction_base& transaction) {
  const std::string of_new_runs = " WHERE n.run_id IN (SELECT run_id FROM s0)";
  BinaryValues values;
  Statements statements;
  statements.Add(Insert("runs", TypedColumns().runs, runs_, values) +
                 " ON CONFLICT (run_id) DO NOTHING RETURNING run_id");
  if (!rosters_.empty()) statements.Add(InsertRosters(values));
  if (!parts_.empty()) statements.Add(Insert("parts", TypedColumns().parts, parts_, values) + of_new_runs);
  if (!failures_.empty()) statements.Add(Insert("failures", TypedColumns().failures, failures_, values) + of_new_runs);
  return Execute(transaction, statements.EndingWith("SELECT run_id FROM s0"), std::move(values));
}

void PostgresChange::Complete(pqxx::transaction_base& transaction) {
  BinaryValues values;
  Statements statements;
  if (!runs_.empty()) {
    const std::vector<TypedColumn>& columns = TypedColumns().runs;
    statements.Add("UPDATE " + connection_.Table("runs") + " r SET " + Assignments(columns, "n") + " FROM " +
                   runs_.Unnest(values) + " AS n (" + Join(NamesOf(columns)) + ") WHERE r.run_id = n.run_id");
  }
  if (!rosters_.empty()) statements.Add(InsertRosters(values));
  if (!parts_.empty()) {
    const std::vector<TypedColumn>& columns = TypedColumns().parts;
    statements.Add(Insert("parts", columns, parts_, values) + " ON CONFLICT (run_id, part_id) DO UPDATE SET " +
                   Assignments(columns, "excluded"));
  }
  if (!failures_.empty()) statements.Add(Insert("failures", TypedColumns().failures, failures_, values));
  if (!removed_.empty()) {
    BinaryArray ids(ColumnType::kNumber);
    for (const int64_t id : removed_) ids.AddNumber(id);
    values.push_back(ids.Take());
    statements.Add("DELETE FROM " + connection_.Table("failures") + " WHERE id = ANY ($" +
                   std::to_string(values.size()) + "::bigint[])");
  }
  if (!removed_parts_.empty()) {
    RowArrays keys(PartKey());
    for (const auto& [run_id, part_id] : removed_parts_) {
      keys("run_id", run_id);
      keys("part_id", part_id);
    }
    statements.Add("DELETE FROM " + connection_.Table("parts") + " p USING " + keys.Unnest(values) +
                   " AS n (run_id, part_id) WHERE p.run_id = n.run_id AND p.part_id = n.part_id");
  }
  Execute(transaction, statements.EndingWith("SELECT"), std::move(values));
}

}  // namespace flaky
