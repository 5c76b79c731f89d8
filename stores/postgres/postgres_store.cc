// SPDX-License-Identifier: MIT
#include "stores/postgres/postgres_store.h"

#include <optional>
#include <utility>

#include "stores/postgres/connection.h"
#include "stores/postgres/health.h"
#include "stores/postgres/reader.h"
#include "stores/postgres/schema.h"
#include "stores/postgres/script.h"
#include "stores/postgres/writer.h"
#include "stores/sql/drop_tables.h"
#include "stores/sql/schema_script.h"

namespace flaky::postgres {
namespace {

constexpr std::string_view kEncoding = "UTF8";

class PostgresStore : public Store {
 public:
  PostgresStore(const Location& location, OpenMode mode) : bulk_(mode == OpenMode::kBulk), connection_(location) {
    connection_.Guard("use the tables", [&](pqxx::connection& session) {
      std::string encoding;
      const SchemaState state = ReadSchemaState(connection_, session, &encoding);
      TableColumns present;  // empty: all
      if (mode != OpenMode::kRead) {
        CheckWritable(state, connection_.name());
        CheckEncoding(encoding);
        if (!state.pending.empty()) Upgrade(session);
      } else if (!state.pending.empty()) {
        present = ReadOurTables(connection_, session);
        RequireTables(connection_.name(), connection_.prefix(), present);
      }
      reader_.emplace(connection_, present);
      if (mode != OpenMode::kRead) writer_.emplace(connection_);
    });
  }

  const std::string& name() const override { return connection_.name(); }

  SchemaState schema() override {
    return connection_.Guard("read the schema's state",
                             [&](pqxx::connection& session) { return ReadSchemaState(connection_, session); });
  }

  StoreLimits limits() const override { return {Writer::kMaxRowBytes, true}; }

  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    return WriterFor("write runs").Write(records, on_existing);
  }
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override {
    return WriterFor("claim the store for a copy").Claim(holder, lease, instead_of);
  }

  // Each Write has made its records durable. Only indexes may be missing.
  void Finish() override {
    if (!bulk_) return;
    connection_.Guard("finish writing", [&](pqxx::connection& session) {
      if (ReadSchemaState(connection_, session).pending.empty()) return;
      UpgradeSchema(connection_, session, DeferredIndexes::kNow);
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
  Writer& WriterFor(std::string_view operation) {
    if (!writer_) connection_.Fail(ErrorKind::kInvalid, operation, "it was opened for reading only");
    return *writer_;
  }

  void Upgrade(pqxx::connection& session) {
    // Indexes only wait if there is no row yet that another process may be looking for.
    const bool is_new = ReadOurTables(connection_, session).at(connection_.Name("runs")).empty();
    UpgradeSchema(connection_, session, bulk_ && is_new ? DeferredIndexes::kLater : DeferredIndexes::kNow);
  }

  void CheckEncoding(const std::string& encoding) const {
    if (encoding == kEncoding) return;
    connection_.Fail(ErrorKind::kInvalid, "write",
                     "the database's encoding is " + encoding +
                         ", which cannot store every text; create one with UTF8: CREATE DATABASE … ENCODING 'UTF8' "
                         "TEMPLATE template0");
  }

  const bool bulk_;
  Connection connection_;
  std::optional<Reader> reader_;
  std::optional<Writer> writer_;
};

}  // namespace

std::unique_ptr<Store> Open(const Location& location, OpenMode mode) {
  return std::make_unique<PostgresStore>(location, mode);
}

LegacyTables DropTables(const Location& location, const std::optional<RowCounts>& drop_if) {
  Connection connection(location);
  return connection.Guard("drop the tables", [&](pqxx::connection& session) {
    const TableColumns columns = ReadOurTables(connection, session);
    LegacyTables old;
    old.names = TablesToDrop(connection.name(), connection.prefix(), columns);
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

namespace {

constexpr SqlSchema kSql{SqlDialect::kPostgres, PostgresMigrations, kPostgresNow};

}  // namespace

const Driver kDriver = {.name = "postgres",
                        .open = Open,
                        .examine = Examine,
                        .look_or_drop = DropTables,
                        .run_script = RunScript,
                        .sql = &kSql};

}  // namespace flaky::postgres
