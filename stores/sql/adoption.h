// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_ADOPTION_H_
#define FLAKY_STORES_SQL_ADOPTION_H_

#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/tables.h"

// Adoption: importing the rows of legacy tables, which are those of the npm packages or this program's with another
// prefix, into the tables in use (docs/guides/migrating-from-npm.md). This is the SQL for it, to be run by a store or
// by hand. Precondition of all functions: the prefixes passed CheckPrefix and are not equal.
namespace flaky {

enum class SqlDialect { kSqlite, kPostgres };

// The prefix of the npm packages' tables in SQLite and Turso: none.
inline constexpr std::string_view kNpmPrefix{};

// Returns true if tables with these columns, in lower case, are `runs` and `failures` as one of the npm packages'
// versions 1 to 6 left them in SQLite or Turso: with exactly those columns. If they differ, they belong to another
// tool, or this program has upgraded them in place and uses them with that prefix.
bool AreNpmTables(const ColumnSet& runs, const ColumnSet& failures);

// Imports the npm packages' tables into the tables with `prefix`. For SQLite and Turso.
struct NpmAdoption {
  // A query with two parameters: the id to begin with ('' at first) and a number above 1. Returns the id to end with
  // and the number of runs up to it. If it is less than the parameter, these are the last.
  std::string range;
  // For one transaction: they insert the rows from one id to another (the parameters of each, both included) that are
  // missing. Repeating them adds nothing. A run that is stored with other values is left alone, and so are its
  // failures.
  std::vector<std::string> statements;
  // Returns the numbers of AdoptionSummary (stores/store.h), in its order.
  std::string account;
  // Returns a row if a run that could be inserted is missing.
  std::string unfinished;
};
NpmAdoption NpmAdoptionInto(std::string_view prefix, const ColumnSet& runs);

// Returns a script that does the same by hand, in one transaction, for any version of the legacy tables. With `drop` it
// then removes them, unless one of their rows is missing in the tables in use or differs there.
std::string AdoptionScript(SqlDialect dialect, std::string_view from, std::string_view to, bool drop);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_ADOPTION_H_
