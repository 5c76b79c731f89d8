// SPDX-License-Identifier: MIT
#include "stores/supabase/reader.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "history/fields.h"
#include "history/json_object.h"
#include "history/text.h"
#include "stores/sql/tables.h"
#include "stores/supabase/columns.h"

namespace flaky::supabase {
namespace {

constexpr std::string_view kReadRuns = "read runs";
constexpr std::string_view kReadFailures = "read failures";

constexpr size_t kFirstRecords = 128;
constexpr size_t kFirstRuns = 1024;
constexpr size_t kMaxRuns = 4096;
constexpr size_t kFoundAtOnce = 1000;
constexpr size_t kFailuresWithTexts = 2000;
constexpr size_t kFailuresWithout = 10'000;
// Of one answer. Parsing it takes a few times as much memory.
constexpr size_t kMaxAnswerBytes = 4 << 20;

constexpr size_t kMaxRosters = 256;  // each request contains their ids

JsonObject& AddNumber(JsonObject& request, std::string_view name, size_t number) {
  return request.AddText(name, std::to_string(number));
}
JsonObject& AddBool(JsonObject& request, std::string_view name, bool value) {
  return request.Add(name, value ? "true" : "false");
}
void AddProject(JsonObject& request, const std::optional<std::optional<std::string>>& project) {
  if (!project) return;
  *project ? request.AddText("project", **project) : request.Add("project", "null");
}
void AddTime(JsonObject& request, std::string_view name, const std::optional<Timestamp>& time) {
  if (time) request.AddText(name, TimeText(*time));
}

std::string Place(Timestamp time, const std::string& id) {
  const std::string place[] = {TimeText(time), id};
  return JsonArray(place);
}

void AddRuns(JsonObject& request, const RunFilter& filter) {
  AddProject(request, filter.project);
  AddTime(request, "since", filter.since);
  AddTime(request, "until", filter.until);
}

simdjson::dom::element Member(const Connection& connection, simdjson::dom::element object, std::string_view name,
                              std::string_view operation) {
  simdjson::dom::element member;
  if (object[name].get(member) != simdjson::SUCCESS) connection.FailMalformed(operation);
  return member;
}

}  // namespace

Reader::Reader(Connection& connection)
    : connection_(connection), whole_pace_(kFirstRecords), runs_pace_(kFirstRuns), fetch_pace_(kFirstRecords) {}

Reader::Answer Reader::Ask(std::string_view function, const std::string& request, bool whole,
                           std::string_view operation) {
  const simdjson::dom::element root = connection_.Call(function, request, operation, kLongestRun);
  Answer answer;
  std::string_view digits;
  if (Member(connection_, root, "done", operation).get(digits) != simdjson::SUCCESS) {
    connection_.FailMalformed(operation);
  }
  const StoredValue done = NumberIn(digits);
  if (done.type != StoredValue::Type::kInteger || done.integer < 0) connection_.FailMalformed(operation);
  answer.done = static_cast<size_t>(done.integer);
  if (Member(connection_, root, "more", operation).get(answer.more) != simdjson::SUCCESS) {
    connection_.FailMalformed(operation);
  }
  const simdjson::dom::element records = Member(connection_, root, "records", operation);
  const simdjson::dom::element states = Member(connection_, root, "states", operation);
  if (records.is_null() && states.is_null()) return answer;
  for (const simdjson::dom::element record : connection_.ArrayOf(records, operation)) {
    answer.records.push_back(RecordOf(record, whole, answer.bytes));
  }
  size_t at = 0;
  for (const simdjson::dom::element state : connection_.ArrayOf(states, operation)) {
    std::string_view text;
    if (at == answer.records.size() || state.get(text) != simdjson::SUCCESS) connection_.FailMalformed(operation);
    answer.records[at++].state = text;
  }
  if (at != answer.records.size()) connection_.FailMalformed(operation);
  if (whole) {
    TakeRosters(Member(connection_, root, "rosters", operation));
    for (StoredRun& record : answer.records) GiveRosters(record);
    rosters_.Trim(kMaxRosters);
  }
  return answer;
}

StoredRun Reader::RecordOf(simdjson::dom::element element, bool whole, size_t& bytes) const {
  StoredRun stored;
  RunRecord& record = stored.record;
  const auto rows = [&](std::string_view member) {
    const simdjson::dom::element list = Member(connection_, element, member, kReadRuns);
    return list.is_null() ? std::nullopt : std::optional(connection_.ArrayOf(list, kReadRuns));
  };
  const auto row_of_run = rows("run");
  if (!row_of_run) connection_.FailMalformed(kReadRuns);
  RowReader run({connection_, *row_of_run}, "runs", &stored.conversions);
  VisitRun(record.run, run);
  const auto count = [&](const auto& text) { bytes += text ? text->size() : 0; };
  count(record.run.test_args);
  if (!whole) return stored;

  std::string run_id;
  if (const auto parts = rows("parts")) {
    for (const simdjson::dom::element row : *parts) {
      RowReader fields({connection_, connection_.ArrayOf(row, kReadRuns)}, "parts", &stored.conversions);
      fields("run_id", run_id);
      VisitPart(record.parts.emplace_back(), fields);
    }
  }
  if (const auto failures = rows("failures")) {
    for (const simdjson::dom::element row : *failures) {
      RowReader fields({connection_, connection_.ArrayOf(row, kReadRuns)}, "failures", &stored.conversions);
      fields("id", stored.failure_ids.emplace_back());
      fields("run_id", run_id);
      Failure& failure = record.failures.emplace_back();
      VisitFailure(failure, fields);
      count(failure.error_message);
      count(failure.error_stack);
    }
  }
  return stored;
}

void Reader::TakeRosters(simdjson::dom::element list) {
  if (list.is_null()) return;
  for (const simdjson::dom::element row : connection_.ArrayOf(list, kReadRuns)) {
    RowReader fields({connection_, connection_.TextsOf(row, 2, kReadRuns)}, "rosters");
    Roster roster;
    fields("roster_id", roster.roster_id);
    fields("tests", roster.tests);
    rosters_.Add(std::move(roster));
  }
}

void Reader::GiveRosters(StoredRun& stored) const {
  std::vector<RosterPtr>& own = stored.record.rosters;
  for (Part& part : stored.record.parts) {
    if (!part.roster_id) continue;
    if (!rosters_.Give(*part.roster_id, own)) {
      ReportRosterLeftOut(&stored.conversions, *part.roster_id);
      part.roster_id.reset();
    }
  }
}

Page Reader::Read(const PageRequest& request) {
  const bool whole = request.detail == Detail::kFull;
  http::AdaptivePageSize& pace = whole ? whole_pace_ : runs_pace_;
  const size_t most_bytes = std::clamp<size_t>(request.max_bytes, 1, kMaxAnswerBytes);
  const size_t most = pace.Next(std::min(request.max_records, kMaxRuns), most_bytes);
  JsonObject query;
  AddRuns(query, request.filter);
  if (request.after) query.Add("after", Place(request.after->started_at, request.after->run_id));
  AddBool(query, "newest_first", request.direction == Direction::kNewestFirst);
  AddBool(query, "whole", whole);
  AddNumber(query, "most", most);
  AddNumber(query, "bytes", most_bytes).Add("rosters", JsonArray(rosters_.Ids()));

  Answer answer = Ask("runs", query.Take(), whole, kReadRuns);
  pace.Got(most, answer.records.size(), answer.bytes);
  Page page;
  for (StoredRun& stored : answer.records) {
    if (!stored.conversions.empty())
      page.converted.push_back({stored.record.run.run_id, std::move(stored.conversions)});
    page.records.push_back(std::move(stored.record));
  }
  if (answer.more && page.records.empty()) connection_.FailMalformed(kReadRuns);
  if (answer.more) {
    const Run& last = page.records.back().run;
    page.next = RunKey{last.account.started_at, last.run_id};
  }
  return page;
}

std::vector<StoredRun> Reader::Load(std::span<const std::string> run_ids) {
  std::vector<StoredRun> stored;
  while (!run_ids.empty()) {
    const size_t count = fetch_pace_.Next(run_ids.size(), kMaxAnswerBytes);
    JsonObject query;
    query.Add("ids", JsonArray(run_ids.first(count)));
    AddNumber(query, "bytes", kMaxAnswerBytes).Add("rosters", JsonArray(rosters_.Ids()));
    Answer answer = Ask("fetch", query.Take(), true, kReadRuns);
    if (answer.done == 0 || answer.done > count) connection_.FailMalformed(kReadRuns);
    fetch_pace_.Got(count, answer.records.size(), answer.bytes);
    std::ranges::move(answer.records, std::back_inserter(stored));
    run_ids = run_ids.subspan(answer.done);
  }
  return stored;
}

std::vector<RunRecord> Reader::Fetch(std::span<const std::string> run_ids) {
  std::vector<std::string> ids;  // the server has no other
  std::ranges::copy_if(run_ids, std::back_inserter(ids), IsStorable);
  std::vector<RunRecord> records;
  for (StoredRun& stored : Load(ids)) records.push_back(std::move(stored.record));
  return records;
}

std::vector<std::string> Reader::FindRuns(std::string_view prefix, size_t limit) {
  std::vector<std::string> found;
  if (!IsStorable(prefix)) return found;
  while (found.size() < limit) {
    JsonObject query;
    AddNumber(query.AddText("prefix", prefix), "most", std::min(limit - found.size(), kFoundAtOnce));
    if (!found.empty()) query.AddText("after", found.back());
    const simdjson::dom::array ids =
        connection_.TextsOf(connection_.Call("find", query.Take(), "find runs"), 0, "find runs");
    if (ids.size() == 0) break;
    if (ids.size() > limit - found.size()) connection_.FailMalformed("find runs");
    for (const simdjson::dom::element id : ids) found.emplace_back(id.get_string().value_unsafe());
  }
  return found;
}

void Reader::VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) {
  const std::set<FailureId> wanted(filter.ids.begin(), filter.ids.end());
  std::optional<FailureKey> behind = filter.behind;
  for (;;) {
    JsonObject query;
    AddProject(query, filter.project);
    AddTime(query, "after", filter.after);
    if (filter.test_name) query.AddText("test_name", *filter.test_name);
    if (!filter.ids.empty()) {
      std::vector<std::string> runs, ids;
      for (const FailureId& row : filter.ids) {
        runs.push_back(row.run_id);
        ids.push_back(std::to_string(row.id));
      }
      query.Add("runs", JsonArray(runs)).Add("ids", JsonArray(ids));
    }
    if (behind) query.Add("behind", Place(behind->failed_at, std::to_string(behind->id)));
    AddNumber(AddBool(query, "texts", filter.texts), "bytes", kMaxAnswerBytes);
    AddNumber(query, "most", filter.texts ? kFailuresWithTexts : kFailuresWithout);
    const simdjson::dom::array rows =
        connection_.ArrayOf(connection_.Call("failures", query.Take(), kReadFailures, kLongestRun), kReadFailures);
    if (rows.size() == 0) return;
    // Copies the rows, because the visitor may use the store, whose next answer overwrites this one.
    std::vector<std::string> held;
    for (const simdjson::dom::element row : rows) held.push_back(simdjson::minify(row));
    simdjson::dom::parser parser;
    for (const std::string& text : held) {
      simdjson::dom::array row;
      if (parser.parse(text).get(row) != simdjson::SUCCESS) connection_.FailMalformed(kReadFailures);
      RowReader fields({connection_, row}, "failures");
      const FailureView view = ReadView(fields);
      behind = FailureKey{view.failed_at, view.id};
      if (!wanted.empty() && !wanted.contains({std::string(view.run_id), view.id})) continue;
      if (!filter.after || view.failed_at > *filter.after) visitor(view);
    }
  }
}

Totals Reader::Count(const RunFilter& filter) {
  constexpr std::string_view kOperation = "count runs";
  JsonObject query;
  AddRuns(query, filter);
  RowReader fields(
      {connection_, connection_.TextsOf(connection_.Call("count", query.Take(), kOperation), 3, kOperation)}, "runs");
  Totals totals;
  fields("runs", totals.runs);
  fields("parts", totals.parts);
  fields("failures", totals.failures);
  return totals;
}

}  // namespace flaky::supabase
