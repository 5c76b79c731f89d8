#ifndef FLAKY_STORES_SQL_LEDGER_H_
#define FLAKY_STORES_SQL_LEDGER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/sql_script.h"
#include "stores/store.h"

// The schema ledger: which migrations there are, which ones a database has, what remains. It knows no database; each
// store reads and writes its table `<prefix>schema(version, name, checksum, applied_at)` and runs the steps.
namespace flaky {

// One numbered file of stores/schema/<dialect>/, embedded by the build.
struct Migration {
  int64_t version;        // 1, 2, … without gaps
  std::string_view name;  // "0001_runs_and_failures"
  std::string_view sql;   // the file's bytes, with `{prefix}` where the tables' prefix goes
};

// In order of the versions. Defined by what cmake/EmbedSql.cmake generates.
std::span<const Migration> SqliteMigrations();
std::span<const Migration> PostgresMigrations();
std::span<const Migration> SupabaseMigrations();  // on top of PostgreSQL's, with a ledger of their own

// Stands for the content of an applied file: 32 hexadecimal digits, XXH3-128 of its bytes.
std::string Checksum(const Migration& migration);

// The migration's statements for tables of this prefix. Precondition: the prefix passed CheckPrefix.
std::vector<SqlStep> StepsOf(const Migration& migration, std::string_view prefix);

// When an upgrade applies the last migrations that begin with the line `-- after-rows`: they make only indexes and
// references, which a copy into new tables makes in a fraction of the time once the rows are there.
enum class DeferredIndexes { kNow, kLater };

// The migrations that are to be applied now.
std::span<const Migration> MigrationsUntil(std::span<const Migration> known, DeferredIndexes after_rows);

// True if it makes only indexes and references. Rows from before (stores/sql/adoption.h) come before the first of
// these, so that one that is applied says that they are all there.
bool ComesAfterRows(const Migration& migration);

// A row of the ledger.
struct AppliedMigration {
  int64_t version = 0;
  std::string name;
  std::string checksum;
};

// The state of a database whose ledger has these rows. Throws StoreError (kInvalid, naming the migration) when a row's
// checksum is not that of our migration of the same version: then the database's tables are not what this program takes
// them for.
SchemaState StateOf(std::span<const Migration> known, std::span<const AppliedMigration> applied,
                    const std::string& store);

// Throws StoreError (kSchemaTooNew) when the database is of a later version than this program knows, and so must not be
// written.
void CheckWritable(const SchemaState& state, const std::string& store);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_LEDGER_H_
