// SPDX-License-Identifier: MIT
#include "stores/supabase/change.h"

#include <utility>

#include "history/fields.h"
#include "stores/supabase/columns.h"

namespace flaky::supabase {
namespace {

// Appends a row. `visit` is called with a visitor, and passes the row's fields to it.
template <typename Visit>
void AddRow(std::string& rows, Visit&& visit) {
  if (!rows.empty()) rows += ',';
  RowWriter row(rows);
  visit(row);
  row.Close();
}

void AddPair(std::string& rows, const std::string& first, const std::string& second) {
  AddRow(rows, [&](RowWriter& row) {
    row("", first);
    row("", second);
  });
}

}  // namespace

void Change::AddPart(const std::string& run_id, const Part& part) {
  AddRow(parts_, [&](RowWriter& row) {
    row("run_id", run_id);
    VisitPart(part, row);
  });
}

void Change::AddFailure(const std::string& run_id, const Failure& failure) {
  AddRow(failures_, [&](RowWriter& row) {
    row("run_id", run_id);
    VisitFailure(failure, row);
  });
}

void Change::AddRosters(const RunRecord& record) {
  for (const RosterPtr& roster : record.rosters) {
    if (known_rosters_.insert(roster->roster_id).second) AddPair(rosters_, roster->roster_id, roster->tests);
  }
}

void Change::AddNew(const RunRecord& record) {
  AddRow(runs_, [&](RowWriter& row) { VisitRun(record.run, row); });
  for (const Part& part : record.parts) AddPart(record.run.run_id, part);
  for (const Failure& failure : record.failures) AddFailure(record.run.run_id, failure);
  AddRosters(record);
}

void Change::AddRecordUpdate(const RunRecord& wanted, const RecordUpdate& update, const std::string& state) {
  const std::string& run_id = wanted.run.run_id;
  AddPair(states_, run_id, state);
  if (update.run) AddRow(runs_, [&](RowWriter& row) { VisitRun(wanted.run, row); });
  for (const Part* part : update.parts) AddPart(run_id, *part);
  for (const Failure* failure : update.new_failures) AddFailure(run_id, *failure);
  if (!update.parts.empty()) AddRosters(wanted);
  for (const int64_t id : update.old_failures) AddPair(old_failures_, run_id, std::to_string(id));
  for (const std::string& part_id : update.old_parts) AddPair(old_parts_, run_id, part_id);
}

std::string Change::Take() {
  std::string request = "{";
  const auto add = [&](std::string_view name, std::string& rows) {
    request += request.size() > 1 ? ",\"" : "\"";
    request += name;
    request += "\":[";
    request += std::exchange(rows, {});
    request += ']';
  };
  add("runs", runs_);
  add("parts", parts_);
  add("failures", failures_);
  add("rosters", rosters_);
  add("states", states_);
  add("old_failures", old_failures_);
  add("old_parts", old_parts_);
  known_rosters_.clear();
  return request + "}";
}

}  // namespace flaky::supabase
