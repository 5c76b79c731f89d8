#ifndef FLAKY_STORES_SQL_ADOPTION_H_
#define FLAKY_STORES_SQL_ADOPTION_H_

#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/tables.h"

// Tables from before: those of the npm packages, or this program's under another prefix, whose rows go into the tables
// that are in use now (docs/guides/migrating-from-npm.md). Here is the SQL of it, for programs and for hands; no
// database is known. Precondition everywhere: prefixes passed CheckPrefix and are not equal.
namespace flaky {

enum class SqlDialect { kSqlite, kPostgres };

// The prefix of the npm packages' tables in SQLite and Turso.
inline constexpr std::string_view kNpmPrefix{};  // none

// True if tables with these columns, in lower case, are `runs` and `failures` as one of the npm packages' versions 1 to
// 6 left them, in SQLite or Turso: exactly those columns. With one more or one less they are somebody else's, or this
// program has upgraded them in place and uses them under that prefix.
bool AreNpmTables(const ColumnSet& runs, const ColumnSet& failures);

// What the npm packages' tables hold goes into the tables with `prefix`. For SQLite and Turso.
struct NpmAdoption {
  // Gives, for two parameters, the id to begin with ('' at first) and a number above 1, the id to end with and how many
  // runs that is; fewer than the number: these are the last.
  std::string range;
  // One transaction: they put in what lies between two ids (the parameters of each, both included) and is not there.
  // Doing it again adds nothing. A run that is there with other values is left alone, and so are its failures.
  std::vector<std::string> statements;
  // Gives the numbers of AdoptionSummary (stores/store.h), in its order.
  std::string account;
  // Gives a row if a run that could be put in is not there.
  std::string unfinished;
};
NpmAdoption NpmAdoptionInto(std::string_view prefix, const ColumnSet& runs);

// The script that does the same by hand, in one transaction, for whatever version of the old tables; with `drop` it
// then removes these, unless a row of theirs is missing in those in use or differs.
std::string AdoptionScript(SqlDialect dialect, std::string_view from, std::string_view to, bool drop);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_ADOPTION_H_
