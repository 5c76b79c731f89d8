// SPDX-License-Identifier: MIT
#include "stores/postgres/postgres_store.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "stores/postgres/access.h"
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

// Finds the tables, and prepares the session for them. Throws if they can't be read safely and completely.
Access Enter(Connection& connection, pqxx::connection& session) {
  Access access = connection.Once(
      session, [&](pqxx::transaction_base& transaction) { return ReadAccess(connection, transaction); });
  connection.set_schema(access.schema);
  RequireReadable(connection, access);
  const Connection::Needs needs = NeedsOf(access);
  connection.Use(needs, session);
  if (needs.policies) {
    // A policy that changes would filter without an error.
    connection.CheckEach([&connection](pqxx::transaction_base& transaction) {
      RequireReadable(connection, ReadAccess(connection, transaction));
    });
  }
  return access;
}

class PostgresStore : public Store {
 public:
  PostgresStore(const Location& location, OpenMode mode) : bulk_(mode == OpenMode::kBulk), connection_(location) {
    connection_.Guard("use the tables", [&](pqxx::connection& session) {
      if (mode != OpenMode::kRead) connection_.RequireWrites("write");
      const Access access = Enter(connection_, session);
      if (mode != OpenMode::kRead) RequireWritable(connection_, access);
      std::string encoding;
      const SchemaState state = ReadSchemaState(connection_, session, &encoding);
      TableColumns present;  // empty: all
      if (mode != OpenMode::kRead) {
        CheckWritable(state, connection_.name());
        CheckEncoding(encoding);
        if (!state.pending.empty()) {
          Upgrade(session);
        } else if (IsOpen(access)) {
          Close(session, access);
        }
      } else if (!state.pending.empty()) {
        present = ReadOurTables(connection_, session);
        RequireTables(connection_.name(), connection_.prefix(), present);
      }
      reader_.emplace(connection_, present);
      if (mode != OpenMode::kRead) writer_.emplace(connection_);
      if (connection_.is_standby()) WarnOfStandby(session);
    });
  }

  const std::string& name() const override { return connection_.name(); }

  SchemaState schema() override {
    return connection_.Guard("read the schema's state",
                             [&](pqxx::connection& session) { return ReadSchemaState(connection_, session); });
  }

  StoreLimits limits() const override { return {Writer::kMaxRowBytes, true}; }

  std::vector<std::string> warnings() const override { return warnings_; }

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

  void WarnOfStandby(pqxx::connection& session) {
    const std::string upto = connection_.Once(session, [](pqxx::transaction_base& transaction) -> std::string {
      const pqxx::result rows = transaction.exec(
          "SELECT to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')");
      return rows[0][0].is_null() ? "" : rows[0][0].c_str();
    });
    warnings_.push_back(connection_.name() + ": this server is a standby, so the newest runs may be missing; " +
                        (upto.empty() ? "it has received nothing from the primary since it started"
                                      : "the last change of the primary that it has is of " + upto + " UTC"));
  }

  void Upgrade(pqxx::connection& session) {
    // Indexes only wait if there is no row yet that another process may be looking for.
    const bool is_new = ReadOurTables(connection_, session).at(connection_.Name("runs")).empty();
    UpgradeSchema(connection_, session, bulk_ && is_new ? DeferredIndexes::kLater : DeferredIndexes::kNow);
  }

  // Closes the tables to public roles, which only their owner can do.
  void Close(pqxx::connection& session, const Access& access) {
    if (std::ranges::all_of(access.tables, &TableAccess::mine)) {
      CloseTables(connection_, session);
    } else if (std::string open = OpenTablesPhrase(access); !open.empty()) {
      warnings_.push_back(connection_.name() + ": " + open);
    }
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
  std::vector<std::string> warnings_;
};

}  // namespace

std::unique_ptr<Store> Open(const Location& location, OpenMode mode) {
  return std::make_unique<PostgresStore>(location, mode);
}

LegacyTables DropTables(const Location& location, const std::optional<RowCounts>& drop_if) {
  Connection connection(location);
  return connection.Guard("drop the tables", [&](pqxx::connection& session) {
    const Access access = Enter(connection, session);
    if (drop_if) RequireWritable(connection, access);
    const TableColumns columns = ReadOurTables(connection, session);
    LegacyTables old;
    old.names = TablesToDrop(connection.name(), connection.prefix(), columns);
    pqxx::work transaction(session);
    connection.Settle(transaction);
    if (drop_if) {
      transaction.exec("LOCK TABLE " + connection.Table("runs") + ", " + connection.Table("failures") +
                       " IN ACCESS EXCLUSIVE MODE");
    }
    const pqxx::result counts = transaction.exec(RowCountsQuery(connection.prefix(), old.names, connection.Scope()));
    const auto number = [&](int column) { return counts[0][column].as<int64_t>(); };
    old.rows = {number(0), number(1), number(2), number(3), number(4)};
    if (drop_if == old.rows) {
      for (const std::string& sql : DropStatements(connection.prefix(), old.names, connection.Scope()))
        transaction.exec(sql);
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
