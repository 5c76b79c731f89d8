// SPDX-License-Identifier: MIT
#include "stores/turso/turso_store.h"

#include <optional>

#include "stores/sql/drop_tables.h"
#include "stores/sql/schema_script.h"
#include "stores/turso/columns.h"
#include "stores/turso/connection.h"
#include "stores/turso/health.h"
#include "stores/turso/reader.h"
#include "stores/turso/schema.h"
#include "stores/turso/writer.h"

namespace flaky::turso {
namespace {

class TursoStore : public Store {
 public:
  TursoStore(const Location& location, OpenMode mode, const http::Options& options)
      : bulk_(mode == OpenMode::kBulk), connection_(location, options) {
    SchemaState state = ReadSchemaState(connection_);
    if (mode != OpenMode::kRead) {
      CheckWritable(state, connection_.name());
      if (!state.pending.empty()) {
        // Indexes only wait if there is no row yet that another process may be looking for.
        const bool is_new = ReadOurTables(connection_).at(connection_.tables().Name("runs")).empty();
        adopted_ = UpgradeSchema(connection_, bulk_ && is_new ? DeferredIndexes::kLater : DeferredIndexes::kNow);
        state = ReadSchemaState(connection_);
      }
    } else if (!state.pending.empty()) {
      const TableColumns tables = ReadOurTables(connection_);
      RequireTables(connection_.name(), connection_.tables().prefix, tables);
      adopting_ = IsAdopting(connection_, state);
    }
    reader_.emplace(connection_, state.pending.empty());
    if (mode != OpenMode::kRead) writer_.emplace(connection_, *reader_);
  }

  const std::string& name() const override { return connection_.name(); }

  SchemaState schema() override {
    SchemaState state = ReadSchemaState(connection_);
    state.adopted = adopted_;
    return state;
  }

  StoreLimits limits() const override { return {Writer::kMaxRowBytes}; }

  // A replica passes writes on to its primary.
  std::vector<std::string> warnings() const override {
    if (writer_ || !connection_.IsReplica()) return {};
    return {connection_.name() + ": this server is a replica, so the newest runs may be missing"};
  }

  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    return WriterFor("write runs").Write(records, on_existing);
  }
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override {
    return WriterFor("claim the store for a copy").Claim(holder, lease, instead_of);
  }

  void Finish() override {
    if (bulk_ && !ReadSchemaState(connection_).pending.empty()) UpgradeSchema(connection_, DeferredIndexes::kNow);
  }

  Page Read(const PageRequest& request) override { return ReaderFor("read runs").Read(request); }

  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) override {
    return ReaderFor("read runs").Fetch(run_ids);
  }

  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) override {
    return ReaderFor("find runs").FindRuns(prefix, limit);
  }

  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override {
    ReaderFor("read failures").VisitFailures(filter, visitor);
  }

  Totals Count(const RunFilter& filter) override { return ReaderFor("count runs").Count(filter); }

 private:
  Writer& WriterFor(std::string_view operation) {
    if (!writer_) connection_.Fail(ErrorKind::kInvalid, operation, "it was opened for reading only");
    return *writer_;
  }

  Reader& ReaderFor(std::string_view operation) {
    if (adopting_) adopting_ = IsAdopting(connection_, ReadSchemaState(connection_));
    if (adopting_) {
      connection_.Fail(ErrorKind::kTransient, operation,
                       "legacy tables are being imported; if that process has died, resume with `flaky schema "
                       "migrate`");
    }
    return *reader_;
  }

  const bool bulk_;
  bool adopting_ = false;
  Connection connection_;
  std::optional<AdoptionSummary> adopted_;
  std::optional<Reader> reader_;
  std::optional<Writer> writer_;
};

}  // namespace

std::unique_ptr<Store> Open(const Location& location, OpenMode mode, const http::Options& options) {
  return std::make_unique<TursoStore>(location, mode, options);
}

LegacyTables DropTables(const Location& location, const std::optional<RowCounts>& drop_if) {
  constexpr std::string_view kOperation = "drop the tables";
  Connection connection(location, {});
  const TableColumns columns = ReadOurTables(connection);
  LegacyTables old;
  old.names = TablesToDrop(connection.name(), connection.tables().prefix, columns);
  const std::string query = RowCountsQuery(connection.tables().prefix, old.names);
  const auto count = [&] {
    const HranaAnswer answer = connection.ReadOne(HranaStatement(query).Selects(5), kOperation);
    RowReader fields({connection, answer.results.front().row(0)}, "runs");
    RowCounts rows;
    for (int64_t* number : {&rows.runs, &rows.ended, &rows.parts, &rows.failures, &rows.orphans}) {
      fields("count", *number);
    }
    return rows;
  };
  old.rows = count();
  if (drop_if != old.rows) return old;
  // The transaction can't read something and then decide, but it can have a statement that fails.
  HranaStatement unchanged("SELECT CASE WHEN (" + query + ") = (?, ?, ?, ?, ?) THEN 1 ELSE json('changed') END");
  for (const int64_t number : {drop_if->runs, drop_if->ended, drop_if->parts, drop_if->failures, drop_if->orphans}) {
    unchanged.Integer(number);
  }
  std::vector<HranaStatement> statements = {unchanged};
  for (const std::string& sql : DropStatements(connection.tables().prefix, old.names)) statements.emplace_back(sql);
  const HranaOutcome outcome = connection.Transact({}, statements, kOperation);
  if (!outcome.committed) {
    const RowCounts now = count();
    if (now == old.rows) connection.Throw(outcome.error, kOperation);
    old.rows = now;
  }
  return old;
}

namespace {

constexpr SqlSchema kSql{SqlDialect::kSqlite, SqliteMigrations, kSqliteNow};

}  // namespace

const Driver kDriver = {.name = "turso",
                        .open = [](const Location& location, OpenMode mode) { return Open(location, mode); },
                        .examine = Examine,
                        .look_or_drop = DropTables,
                        .sql = &kSql};

}  // namespace flaky::turso
