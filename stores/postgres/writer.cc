// SPDX-License-Identifier: MIT
#include "stores/postgres/writer.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "history/merge.h"
#include "stores/postgres/binary.h"
#include "stores/postgres/change.h"
#include "stores/postgres/columns.h"
#include "stores/record_check.h"
#include "stores/sql/bad_value.h"
#include "stores/sql/record_update.h"

namespace flaky::postgres {
namespace {

// The approximate size of the records in one statement. A record is never split.
constexpr size_t kBatchBytes = 4 << 20;
constexpr size_t kMaxRecordBytes = 512 << 20;  // keeps a statement well below the 1 GB limit of a message

// How often a write is tried again if an existing run disappears before it can be read.
constexpr int kMaxVanished = 10;

// Returns the size of a record. Throws StoreError (kInvalid) if a row or the whole record is too large to be sent.
size_t CheckedSize(const Connection& connection, const RunRecord& record) {
  const size_t bytes = CheckRowSizes(record, Writer::kMaxRowBytes, connection.name());
  if (bytes > kMaxRecordBytes) {
    connection.Fail(
        ErrorKind::kInvalid, "write run '" + record.run.run_id + "'",
        "it has " + std::to_string(bytes) + " bytes of text; the limit is " + std::to_string(kMaxRecordBytes));
  }
  return bytes;
}

// A value that a constraint of the table may refuse.
struct UnusualValue {
  const char* table;
  const char* column;
  const std::string* run_id;
  const std::string* value;
};

std::vector<UnusualValue> UnusualValues(std::span<const RunRecord> records) {
  std::vector<UnusualValue> found;
  for (const RunRecord& record : records) {
    const std::string& run_id = record.run.run_id;
    const auto check_status = [&](const char* table, const Account& account) {
      if (account.status && !IsKnownStatus(*account.status)) {
        found.push_back({table, "status", &run_id, &*account.status});
      }
    };
    check_status("runs", record.run.account);
    for (const Part& part : record.parts) check_status("parts", part.account);
    for (const Failure& failure : record.failures) {
      if (IsKnownFailureKind(failure.failure_kind)) continue;
      found.push_back({"failures", "failure_kind", &run_id, &failure.failure_kind});
    }
  }
  return found;
}

}  // namespace

Writer::Writer(Connection& connection) : connection_(connection), loader_(connection, {}) {}

std::vector<WriteResult> Writer::Write(std::span<const RunRecord> records, OnExisting on_existing) {
  RecordCheck check(connection_.name());
  std::vector<size_t> sizes;
  for (const RunRecord& record : records) {
    check.Check(record);
    sizes.push_back(CheckedSize(connection_, record));
  }
  // All writers use the same order, so that two writers never wait for each other.
  Places order(records.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return std::string_view(records[i].run.run_id); });

  std::vector<WriteResult> results(records.size());
  connection_.Guard("write runs", [&](pqxx::connection& session) {
    CheckKinds(session, records);
    Places batch;
    size_t bytes = 0;
    std::unordered_set<const Roster*> rosters;  // of the batch, each once
    for (const size_t place : order) {
      if (bytes >= kBatchBytes) {
        WriteBatch(session, records, std::exchange(batch, {}), on_existing, results);
        bytes = 0;
        rosters.clear();
      }
      batch.push_back(place);
      bytes += sizes[place];
      for (const RosterPtr& roster : records[place].rosters) {
        if (rosters.insert(roster.get()).second) bytes += roster->tests.size();
      }
    }
    WriteBatch(session, records, std::move(batch), on_existing, results);
  });
  return results;
}

// Our tables, and some of the npm package's, only admit known values. Records of another tool may have other values.
// For these, a message about the value is better than the server's message about a constraint.
void Writer::CheckKinds(pqxx::connection& session, std::span<const RunRecord> records) const {
  const std::vector<UnusualValue> unusual = UnusualValues(records);
  if (unusual.empty()) return;
  for (const UnusualValue& found : unusual) {
    const pqxx::result constraints = connection_.Once(session, [&](pqxx::transaction_base& transaction) {
      return Execute(
          transaction,
          "SELECT c.conname FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY "
          "(c.conkey) WHERE c.contype = 'c' AND c.conrelid = pg_catalog.to_regclass($1::text)::oid AND a.attname = "
          "$2::name",
          {connection_.Table(found.table), found.column});
    });
    if (constraints.empty()) continue;
    connection_.Fail(ErrorKind::kInvalid, "write run '" + *found.run_id + "'",
                     std::string("the column '") + found.column + "' would hold " + ShownText(*found.value) +
                         ", which the table '" + connection_.prefix() + found.table + "' does not admit (constraint '" +
                         constraints[0][0].c_str() + "')");
  }
}

void Writer::WriteBatch(pqxx::connection& session, std::span<const RunRecord> records, Places batch,
                        OnExisting on_existing, std::vector<WriteResult>& results) {
  for (int vanished = 0; !batch.empty(); ++vanished) {
    if (vanished > kMaxVanished) {
      connection_.Fail(ErrorKind::kTransient, "write run '" + records[batch.front()].run.run_id + "'",
                       "the run was repeatedly inserted and deleted by another writer");
    }
    const std::unordered_set<std::string> inserted = InsertNew(session, records, batch);
    std::erase_if(batch, [&](size_t place) {
      if (!inserted.contains(records[place].run.run_id)) return false;
      results[place] = {WriteResult::Outcome::kInserted, {}};
      return true;
    });
    if (!batch.empty()) batch = Complete(session, records, batch, on_existing, results);
  }
}

std::unordered_set<std::string> Writer::InsertNew(pqxx::connection& session, std::span<const RunRecord> records,
                                                  const Places& batch) const {
  Change change(connection_);
  for (const size_t place : batch) change.AddNew(records[place]);
  const pqxx::result rows =
      connection_.Once(session, [&](pqxx::transaction_base& transaction) { return change.InsertNew(transaction); });
  std::unordered_set<std::string> inserted;
  for (const pqxx::row& row : rows) inserted.emplace(row[0].c_str());
  return inserted;
}

// Updates the existing runs. Returns the places of those that don't exist (any more).
Writer::Places Writer::Complete(pqxx::connection& session, std::span<const RunRecord> records, const Places& batch,
                                OnExisting on_existing, std::vector<WriteResult>& results) {
  BinaryArray ids(ColumnType::kText);
  for (const size_t place : batch) ids.AddText(records[place].run.run_id);

  pqxx::work transaction(session);
  connection_.Settle(transaction);
  // Until the transaction ends, no other writer changes these runs or inserts parts and failures of them.
  const pqxx::result rows =
      Execute(transaction,
              "SELECT " + SelectColumns("r", TypedColumns().runs, {}) + " FROM " + connection_.Table("runs") +
                  " r WHERE r.run_id = ANY ($1::text[]) ORDER BY r.run_id COLLATE \"C\" FOR UPDATE",
              {ids.Take()});
  std::vector<RunRecord> known;
  for (const pqxx::row& row : rows) {
    RowReader fields({connection_, row}, "runs");
    VisitRun(known.emplace_back().run, fields);
  }
  std::vector<std::vector<int64_t>> failure_ids;
  for (size_t done = 0; done < known.size();) {
    done += loader_.Load(transaction, std::span(known).subspan(done), kBatchBytes, &failure_ids);
  }

  Change change(connection_);
  std::vector<RunRecord> wanted;
  wanted.reserve(known.size());  // `change` points into it
  Places missing;
  size_t at = 0;
  for (const size_t place : batch) {
    const RunRecord& record = records[place];
    if (at == known.size() || known[at].run.run_id != record.run.run_id) {
      missing.push_back(place);
      continue;
    }
    Resolution resolution = Resolve(known[at], record, on_existing);
    if (resolution.Changes()) {
      wanted.push_back(std::move(resolution.record));
      const StoredRecord stored{std::move(known[at]), std::move(failure_ids[at])};
      change.AddRecordUpdate(wanted.back(), RecordUpdateOf(stored, wanted.back()));
    }
    results[place] = std::move(resolution.result);
    ++at;
  }
  if (!change.empty()) change.Complete(transaction);
  transaction.commit();
  return missing;
}

CopyClaim Writer::Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) {
  const std::string claims = connection_.Table("claims");
  const std::string now = "pg_catalog.floor(extract(epoch FROM pg_catalog.clock_timestamp()))::bigint";
  return connection_.Guard("claim the store for a copy", [&](pqxx::connection& session) {
    pqxx::work transaction(session);
    connection_.Settle(transaction);
    if (lease.count() > 0) {
      Execute(transaction,
              "INSERT INTO " + claims + " AS c (name, holder, lapses_at) VALUES ('copy', $1::text, " + now +
                  " + $2::bigint) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lapses_at = "
                  "excluded.lapses_at WHERE c.holder IN ($1::text, $3::text) OR c.lapses_at <= " +
                  now,
              {holder, BinaryNumber(lease.count()), instead_of});
    } else {
      Execute(transaction, "DELETE FROM " + claims + " WHERE name = 'copy' AND holder = $1::text", {holder});
    }
    const pqxx::result rows = Execute(
        transaction,
        "SELECT holder, lapses_at - " + now + " FROM " + claims + " WHERE name = 'copy' AND lapses_at > " + now, {});
    CopyClaim claim;
    if (!rows.empty()) claim = {rows[0][0].c_str(), std::chrono::seconds(rows[0][1].as<int64_t>())};
    transaction.commit();
    return claim;
  });
}

}  // namespace flaky::postgres
