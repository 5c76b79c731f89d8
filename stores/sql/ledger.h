// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_LEDGER_H_
#define FLAKY_STORES_SQL_LEDGER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/sql_script.h"
#include "stores/store.h"

// The schema ledger: which migrations exist, which of them a database has, and which are pending. It does not access
// databases: each store reads and writes its table `<prefix>schema(version, name, checksum, applied_at)` and runs the
// steps.
namespace flaky {

// One numbered file of stores/schema/<dialect>/, embedded by the build.
struct Migration {
  int64_t version;        // 1, 2, … without gaps
  std::string_view name;  // "0001_runs_and_failures"
  std::string_view sql;   // the file's bytes, with `{prefix}` in place of the tables' prefix
};

// In order of the versions. Defined by what cmake/EmbedSql.cmake generates.
std::span<const Migration> SqliteMigrations();
std::span<const Migration> PostgresMigrations();
std::span<const Migration> SupabaseMigrations();  // in addition to PostgreSQL's, with a separate ledger

// Returns the checksum of the file: 32 hexadecimal digits, XXH3-128 of its bytes.
std::string Checksum(const Migration& migration);

// Returns the migration's statements for tables with this prefix. Precondition: the prefix passed CheckPrefix.
std::vector<SqlStep> StepsOf(const Migration& migration, std::string_view prefix);

// Whether an upgrade already applies the last migrations if they begin with the line `-- after-rows`. These only make
// indexes, references and views, which takes a copy into new tables a fraction of the time if it is done after the
// rows.
enum class DeferredIndexes { kNow, kLater };

// Returns the migrations to apply now.
std::span<const Migration> MigrationsUntil(std::span<const Migration> known, DeferredIndexes after_rows);

// Returns true if the migration only makes indexes, references and views. Rows of legacy tables (stores/sql/adoption.h)
// are imported before the first of these, so one that is applied shows that the import is complete.
bool ComesAfterRows(const Migration& migration);

// A row of the ledger.
struct AppliedMigration {
  int64_t version = 0;
  std::string name;
  std::string checksum;
};

// Returns the state of a database whose ledger has these rows. Throws StoreError (kInvalid, naming the migration) if a
// row's checksum differs from that of our migration of the same version: then the tables are not what this program
// expects.
SchemaState StateOf(std::span<const Migration> known, std::span<const AppliedMigration> applied,
                    const std::string& store);

// Throws StoreError (kSchemaTooNew) if the database has a later version than this program knows, so that it must not be
// written.
void CheckWritable(const SchemaState& state, const std::string& store);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_LEDGER_H_
