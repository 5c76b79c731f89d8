// SPDX-License-Identifier: MIT
#include "stores/supabase/writer.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>

#include "stores/record_check.h"
#include "stores/sql/bad_value.h"
#include "stores/supabase/change.h"
#include "stores/supabase/columns.h"

namespace flaky::supabase {
namespace {

constexpr std::string_view kWriteRuns = "write runs";
constexpr std::string_view kClaim = "claim the store for a copy";

// The approximate size of the records in one request. A record is never split. As text within text, it grows by about a
// fifth.
constexpr size_t kBatchBytes = 768 << 10;
constexpr size_t kBatchRows = 1000;
constexpr size_t kMaxRecordBytes = 128 << 20;

// How often a write is tried again if a run has changed since it was read. In each round, one of the concurrent writers
// succeeds, so this is also the largest number of writers.
constexpr int kMaxRounds = 500;

// Waits for a random time that is longer in later rounds, to let other writers go first.
void GiveWay(int round) {
  constexpr int kMost = 64;
  thread_local std::minstd_rand random(std::random_device{}());
  std::this_thread::sleep_for(std::chrono::milliseconds(random() % static_cast<unsigned>(std::min(2 * round, kMost))));
}

std::string RunOf(const RunRecord& record) { return "write run '" + record.run.run_id + "'"; }

}  // namespace

// The tables only admit known values. Records of another tool may have other values. For these, a message about the
// value is better than the server's message about a constraint.
void Writer::CheckWords(const RunRecord& record) const {
  const auto refuse = [&](const char* table, const char* column, const std::string& word) {
    connection_.Fail(ErrorKind::kInvalid, RunOf(record),
                     std::string("the column '") + column + "' would hold " + ShownText(word) + ", which the table '" +
                         connection_.prefix() + table + "' does not admit");
  };
  const auto check = [&](const char* table, const Account& account) {
    if (account.status && !IsKnownStatus(*account.status)) refuse(table, "status", *account.status);
  };
  check("runs", record.run.account);
  for (const Part& part : record.parts) check("parts", part.account);
  for (const Failure& failure : record.failures) {
    if (!IsKnownFailureKind(failure.failure_kind)) refuse("failures", "failure_kind", failure.failure_kind);
  }
}

std::vector<WriteResult> Writer::Write(std::span<const RunRecord> records, OnExisting on_existing) {
  RecordCheck check(connection_.name());
  std::vector<size_t> sizes;
  for (const RunRecord& record : records) {
    check.Check(record);
    CheckWords(record);
    sizes.push_back(CheckRowSizes(record, kMaxRowBytes, connection_.name()));
    if (sizes.back() > kMaxRecordBytes) {
      connection_.Fail(
          ErrorKind::kInvalid, RunOf(record),
          "it has " + std::to_string(sizes.back()) + " bytes of text; the limit is " + std::to_string(kMaxRecordBytes));
    }
  }
  // All writers use the same order, so that two writers never wait for each other.
  Places order(records.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return std::string_view(records[i].run.run_id); });

  std::vector<WriteResult> results(records.size());
  Places batch;
  size_t bytes = 0;
  size_t rows = 0;
  std::unordered_set<const Roster*> rosters;
  const auto write = [&] {
    if (!batch.empty()) WriteBatch(records, std::exchange(batch, {}), on_existing, results);
    bytes = rows = 0;
    rosters.clear();
  };
  for (const size_t place : order) {
    const RunRecord& record = records[place];
    const size_t more_rows = 1 + record.parts.size() + record.failures.size();
    if (bytes + sizes[place] > kBatchBytes || rows + more_rows > kBatchRows) write();
    batch.push_back(place);
    bytes += sizes[place];
    rows += more_rows;
    for (const RosterPtr& roster : record.rosters) {
      if (rosters.insert(roster.get()).second) bytes += roster->tests.size();
    }
  }
  write();
  return results;
}

void Writer::WriteBatch(std::span<const RunRecord> records, Places batch, OnExisting on_existing,
                        std::vector<WriteResult>& results) {
  for (int round = 0; !batch.empty(); ++round) {
    if (round > kMaxRounds) {
      connection_.Fail(ErrorKind::kTransient, RunOf(records[batch.front()]),
                       "gave up: concurrent writers kept changing the run");
    }
    if (round > 1) GiveWay(round);
    Change change;
    for (const size_t place : batch) change.AddNew(records[place]);
    const Ids inserted = CallForIds("insert", change.Take());
    std::erase_if(batch, [&](size_t place) {
      if (!inserted.contains(records[place].run.run_id)) return false;
      results[place] = {WriteResult::Outcome::kInserted, {}};
      return true;
    });
    if (!batch.empty()) batch = Complete(records, batch, on_existing, results);
  }
}

// Updates the existing runs. Returns the places of those that don't exist any more or that other writers have changed.
Writer::Places Writer::Complete(std::span<const RunRecord> records, const Places& batch, OnExisting on_existing,
                                std::vector<WriteResult>& results) {
  std::vector<std::string> ids;
  for (const size_t place : batch) ids.push_back(records[place].run.run_id);
  std::unordered_map<std::string, StoredRun> known;
  for (StoredRun& stored : reader_.Load(ids)) {
    std::string run_id = stored.record.run.run_id;
    known.emplace(std::move(run_id), std::move(stored));
  }

  Change change;
  Places again;
  std::vector<std::pair<size_t, WriteResult>> changing;
  for (const size_t place : batch) {
    const auto stored = known.find(records[place].run.run_id);
    if (stored == known.end()) {
      again.push_back(place);
      continue;
    }
    Resolution resolution = Resolve(stored->second.record, records[place], on_existing);
    if (!resolution.Changes()) {
      results[place] = std::move(resolution.result);
      continue;
    }
    change.AddRecordUpdate(resolution.record, RecordUpdateOf(stored->second, resolution.record), stored->second.state);
    changing.emplace_back(place, std::move(resolution.result));
  }
  if (changing.empty()) return again;
  const Ids changed = CallForIds("change", change.Take());
  for (auto& [place, result] : changing) {
    if (changed.contains(records[place].run.run_id)) {
      results[place] = std::move(result);
    } else {
      again.push_back(place);
    }
  }
  return again;
}

Writer::Ids Writer::CallForIds(std::string_view function, const std::string& request) {
  Ids ids;
  for (const simdjson::dom::element id :
       connection_.TextsOf(connection_.Call(function, request, kWriteRuns), 0, kWriteRuns)) {
    ids.emplace(id.get_string().value_unsafe());
  }
  return ids;
}

CopyClaim Writer::Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) {
  std::string request = R"({"holder":)";
  AppendJson(request, holder);
  request += R"(,"lease":")" + std::to_string(std::max<int64_t>(lease.count(), 0)) + R"(","instead_of":)";
  AppendJson(request, instead_of);
  request += '}';
  const simdjson::dom::array answer = connection_.TextsOf(connection_.Call("claim", request, kClaim), 0, kClaim);
  CopyClaim claim;
  if (answer.size() == 0) return claim;
  if (answer.size() != 2) connection_.FailMalformed(kClaim);
  RowReader fields({connection_, answer}, "claims");
  int64_t seconds = 0;
  fields("holder", claim.holder);
  fields("lapses_at", seconds);
  claim.lapses = std::chrono::seconds(seconds);
  return claim;
}

}  // namespace flaky::supabase
