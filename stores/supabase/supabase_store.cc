// SPDX-License-Identifier: MIT
#include "stores/supabase/supabase_store.h"

#include <optional>

#include "stores/supabase/connection.h"
#include "stores/supabase/health.h"
#include "stores/supabase/migrate.h"
#include "stores/supabase/reader.h"
#include "stores/supabase/schema.h"
#include "stores/supabase/writer.h"

namespace flaky::supabase {
namespace {

class SupabaseStore : public Store {
 public:
  SupabaseStore(const Location& location, OpenMode mode, const http::Options& options)
      : connection_(location, options), reader_(connection_) {
    const SchemaState state = ReadSchemaState(connection_);
    if (mode == OpenMode::kRead) return;
    CheckWritable(state, connection_.name());
    if (!state.pending.empty()) {
      connection_.Fail(ErrorKind::kMissing, "use the tables",
                       "the project's tables are older than this program: the migration '" + state.pending.front() +
                           "' is pending; " + HowToMakeTables());
    }
    writer_.emplace(connection_, reader_);
  }

  const std::string& name() const override { return connection_.name(); }

  SchemaState schema() override { return ReadSchemaState(connection_); }

  StoreLimits limits() const override { return {Writer::kMaxRowBytes, true}; }

  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    return WriterFor("write runs").Write(records, on_existing);
  }
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override {
    return WriterFor("claim the store for a copy").Claim(holder, lease, instead_of);
  }

  Page Read(const PageRequest& request) override { return reader_.Read(request); }
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) override { return reader_.Fetch(run_ids); }
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) override {
    return reader_.FindRuns(prefix, limit);
  }
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override {
    reader_.VisitFailures(filter, visitor);
  }
  Totals Count(const RunFilter& filter) override { return reader_.Count(filter); }

 private:
  Writer& WriterFor(std::string_view operation) {
    if (!writer_) connection_.Fail(ErrorKind::kInvalid, operation, "it was opened for reading only");
    return *writer_;
  }

  Connection connection_;
  Reader reader_;
  std::optional<Writer> writer_;
};

}  // namespace

std::unique_ptr<Store> Open(const Location& location, OpenMode mode, const http::Options& options) {
  return std::make_unique<SupabaseStore>(location, mode, options);
}

const Driver kDriver = {.name = "supabase",
                        .open = [](const Location& location, OpenMode mode) { return Open(location, mode); },
                        .examine = Examine,
                        .migrate_from_outside = Migrate,
                        .sql = &kSql};

}  // namespace flaky::supabase
