// SPDX-License-Identifier: MIT
#include "stores/sqlite/sqlite_store.h"

#include <memory>
#include <optional>

#include "stores/sql/drop_tables.h"
#include "stores/sql/schema_script.h"
#include "stores/sqlite/connection.h"
#include "stores/sqlite/health.h"
#include "stores/sqlite/reader.h"
#include "stores/sqlite/schema.h"
#include "stores/sqlite/writer.h"

namespace flaky::sqlite {
namespace {

class SqliteStore : public Store {
 public:
  SqliteStore(const Location& location, OpenMode mode, const Options& options)
      : bulk_(mode == OpenMode::kBulk), connection_(Examined(location, mode), mode, options) {
    connection_.Guard("use the tables", [&] {
      SchemaState state = ReadSchemaState(connection_);
      if (mode != OpenMode::kRead) {
        CheckWritable(state, connection_.name());
        if (!state.pending.empty()) {
          // Indexes only wait if there is no row yet that another process may be looking for.
          const bool is_new = ReadOurTables(connection_).at(connection_.tables().Name("runs")).empty();
          adopted_ = UpgradeSchema(connection_,
                                   mode == OpenMode::kBulk && is_new ? DeferredIndexes::kLater : DeferredIndexes::kNow);
          state = ReadSchemaState(connection_);
        }
      } else if (!state.pending.empty()) {
        const TableColumns tables = ReadOurTables(connection_);
        RequireTables(connection_.name(), connection_.prefix(), tables);
      }
      reader_.emplace(connection_, state.pending.empty());
      if (mode != OpenMode::kRead) writer_.emplace(connection_, *reader_);
    });
  }

  const std::string& name() const override { return connection_.name(); }

  SchemaState schema() override {
    return connection_.Guard("read the schema's state", [&] {
      SchemaState state = ReadSchemaState(connection_);
      state.adopted = adopted_;
      return state;
    });
  }

  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    return connection_.Guard("write runs", [&] { return WriterFor("write runs").Write(records, on_existing); });
  }

  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override {
    return connection_.Guard("claim the store for a copy",
                             [&] { return WriterFor("claim the store for a copy").Claim(holder, lease, instead_of); });
  }

  void Finish() override {
    if (!bulk_) return;
    connection_.Guard("finish writing", [&] {
      connection_.Shrink();
      if (!ReadSchemaState(connection_).pending.empty()) UpgradeSchema(connection_, DeferredIndexes::kNow);
      connection_.Flush();
    });
  }

  Page Read(const PageRequest& request) override {
    return connection_.Guard("read runs", [&] { return reader_->Read(request); });
  }

  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) override {
    return connection_.Guard("read runs", [&] { return reader_->Fetch(run_ids); });
  }

  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) override {
    return connection_.Guard("find runs", [&] { return reader_->FindRuns(prefix, limit); });
  }

  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override {
    connection_.Guard("read failures", [&] { reader_->VisitFailures(filter, visitor); });
  }

  Totals Count(const RunFilter& filter) override {
    return connection_.Guard("count runs", [&] { return reader_->Count(filter); });
  }

 private:
  static const Location& Examined(const Location& location, OpenMode mode) {
    if (mode != OpenMode::kRead) RefuseForeignFile(location);
    return location;
  }

  Writer& WriterFor(std::string_view operation) {
    if (!writer_) connection_.Fail(ErrorKind::kInvalid, operation, "it was opened for reading only");
    return *writer_;
  }

  const bool bulk_;
  Connection connection_;
  std::optional<AdoptionSummary> adopted_;
  std::optional<Reader> reader_;
  std::optional<Writer> writer_;
};

}  // namespace

std::unique_ptr<Store> Open(const Location& location, OpenMode mode, const Options& options) {
  return std::make_unique<SqliteStore>(location, mode, options);
}

LegacyTables DropTables(const Location& location, const std::optional<RowCounts>& drop_if) {
  // Opened as for a copy, so that references aren't checked: a row that refers to a missing run would stop the drop.
  Connection connection(location, drop_if ? OpenMode::kBulk : OpenMode::kRead, {});
  return connection.Guard("drop the tables", [&] {
    SQLite::Transaction transaction(
        connection.db(), drop_if ? SQLite::TransactionBehavior::IMMEDIATE : SQLite::TransactionBehavior::DEFERRED);
    LegacyTables old;
    const TableColumns columns = ReadOurTables(connection);
    old.names = TablesToDrop(connection.name(), connection.prefix(), columns);
    SQLite::Statement counts(connection.db(), RowCountsQuery(connection.prefix(), old.names));
    counts.executeStep();
    const auto number = [&](int column) { return counts.getColumn(column).getInt64(); };
    old.rows = {number(0), number(1), number(2), number(3), number(4)};
    counts.reset();
    if (drop_if == old.rows) {
      for (const std::string& sql : DropStatements(connection.prefix(), old.names)) connection.db().exec(sql);
      transaction.commit();
    }
    return old;
  });
}

namespace {

constexpr SqlSchema kSql{SqlDialect::kSqlite, SqliteMigrations, kSqliteNow};

}  // namespace

const Driver kDriver = {.name = "sqlite",
                        .open = [](const Location& location, OpenMode mode) { return Open(location, mode); },
                        .examine = Examine,
                        .look_or_drop = DropTables,
                        .sql = &kSql};

}  // namespace flaky::sqlite
