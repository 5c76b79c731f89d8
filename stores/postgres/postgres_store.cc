#include "stores/postgres/postgres_store.h"

#include <optional>
#include <utility>

#include "stores/postgres/connection.h"
#include "stores/postgres/health.h"
#include "stores/postgres/reader.h"
#include "stores/postgres/schema.h"
#include "stores/postgres/writer.h"
#include "stores/sql/drop_tables.h"
#include "stores/sql/schema_script.h"

namespace flaky {
namespace {

constexpr std::string_view kEncoding = "UTF8";

class PostgresStore : public Store {
 public:
  PostgresStore(const Location& location, OpenMode mode) : bulk_(mode == OpenMode::kBulk), connection_(location) {
    connection_.Guard("use the tables", [&](pqxx::connection& session) {
      const PostgresSchema schema = ReadPostgresSchema(connection_, session);
      PresentColumns present;  // empty: all
      if (mode != OpenMode::kRead) {
        CheckWritable(schema.state, connection_.name());
        CheckEncoding(schema.encoding);
        if (!schema.state.pending.empty()) Upgrade(session, mode);
      } else if (!schema.state.pending.empty()) {
        present = ColumnsInPostgres(connection_, session);
        CheckTablesAreOurs(connection_, present);
        RequireTables(connection_.name(), connection_.prefix(), [&](const std::string& table) {
          return present.contains(table.substr(connection_.prefix().size()));
        });
      }
      reader_.emplace(connection_, present);
      if (mode != OpenMode::kRead) writer_.emplace(connection_);
    });
  }

  const std::string& name() const override { return connection_.name(); }

  SchemaState schema() override {
    return connection_.Guard("read the schema's state",
                             [&](pqxx::connection& session) { return ReadPostgresSchema(connection_, session).state; });
  }

  StoreLimits limits() const override { return {PostgresWriter::kMaxRowBytes, true}; }

  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    return Writer("write runs").Write(records, on_existing);
  }
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override {
    return Writer("claim it").Claim(holder, lease, instead_of);
  }

  // Every call of Write has made durable what it wrote; only indexes may be missing.
  void Finish() override {
    if (!bulk_) return;
    connection_.Guard("finish writing", [&](pqxx::connection& session) {
      if (ReadPostgresSchema(connection_, session).state.pending.empty()) return;
      UpgradePostgresSchema(connection_, session, DeferredIndexes::kNow);
    });
  }

  Page Read(const PageRequest& request) override { return reader_->Read(request); }
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) override { return reader_->Fetch(run_ids); }
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) override {
    return reader_->FindRuns(prefix, limit);
  }
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override {
    reader_->VisitFailures(filter, visitor);
  }
  Totals Count(const RunFilter& filter) override { return reader_->Count(filter); }

 private:
  PostgresWriter& Writer(std::string_view operation) {
    if (!writer_) connection_.Fail(ErrorKind::kInvalid, operation, "it was opened for reading only");
    return *writer_;
  }

  void Upgrade(pqxx::connection& session, OpenMode mode) {
    const PresentColumns present = ColumnsInPostgres(connection_, session);
    CheckTablesAreOurs(connection_, present);
    // Something waits only where no row is there yet that somebody may be looking for.
    const bool is_new = !present.contains("runs");
    UpgradePostgresSchema(connection_, session,
                          mode == OpenMode::kBulk && is_new ? DeferredIndexes::kLater : DeferredIndexes::kNow);
  }

  void CheckEncoding(const std::string& encoding) const {
    if (encoding == kEncoding) return;
    connection_.Fail(ErrorKind::kInvalid, "write",
                     "the database's encoding is " + encoding +
                         ", which does not hold every text; UTF8 does: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE "
                         "template0");
  }

  const bool bulk_;
  PostgresConnection connection_;
  std::optional<PostgresReader> reader_;
  std::optional<PostgresWriter> writer_;
};

}  // namespace

std::unique_ptr<Store> OpenPostgres(const Location& location, OpenMode mode) {
  return std::make_unique<PostgresStore>(location, mode);
}

LegacyTables DropPostgresTables(const Location& location, const std::optional<RowCounts>& drop_if) {
  PostgresConnection connection(location);
  return connection.Guard("drop the tables", [&](pqxx::connection& session) {
    const PresentColumns present = ColumnsInPostgres(connection, session);
    LegacyTables old;
    old.names = TablesToDrop(connection.name(), connection.prefix(), [&](const std::string& table) {
      const auto found = present.find(std::string_view(table).substr(connection.prefix().size()));
      return found == present.end() ? ColumnSet() : found->second;
    });
    pqxx::work transaction(session);
    if (drop_if) {
      transaction.exec("LOCK TABLE " + connection.Table("runs") + ", " + connection.Table("failures") +
                       " IN ACCESS EXCLUSIVE MODE");
    }
    const pqxx::result counts = transaction.exec(RowCountsQuery(connection.prefix(), old.names));
    const auto number = [&](int column) { return counts[0][column].as<int64_t>(); };
    old.rows = {number(0), number(1), number(2), number(3), number(4)};
    if (drop_if == old.rows) {
      for (const std::string& sql : DropStatements(old.names)) transaction.exec(sql);
      transaction.commit();
    }
    return old;
  });
}

namespace postgres {

namespace {
constexpr SqlSchema kSql{SqlDialect::kPostgres, PostgresMigrations, kPostgresNow};
}  // namespace

const Driver kDriver = {.name = "postgres",
                        .open = OpenPostgres,
                        .examine = ExaminePostgres,
                        .look_or_drop = DropPostgresTables,
                        .sql = &kSql};

}  // namespace postgres

}  // namespace flaky
