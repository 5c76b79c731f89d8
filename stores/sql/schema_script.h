// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_SCHEMA_SCRIPT_H_
#define FLAKY_STORES_SQL_SCHEMA_SCRIPT_H_

#include <span>
#include <string>
#include <string_view>

#include "stores/sql/adoption.h"
#include "stores/sql/ledger.h"

namespace flaky {

// How one SQL store makes its tables.
struct SqlSchema {
  SqlDialect dialect;
  std::span<const Migration> (*migrations)();
  std::string_view now;  // an expression for the current time, as the ledger's column holds it
  // A second series of migrations, with the ledger `<prefix><more_name>_schema`. May be null.
  std::span<const Migration> (*more)() = nullptr;
  std::string_view more_name = {};
  // In PostgreSQL's dialect: what is in front of the tables' quoted names in the script, such as `public.`. Empty: the
  // search path with which it is run decides. The second series of migrations has it already.
  std::string_view scope = {};
};

inline constexpr std::string_view kSqliteNow = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
inline constexpr std::string_view kPostgresNow = "now()";

// Returns the SQL that makes the tables with this prefix, in the newest version: all migrations and their entries in
// the ledger, each in a transaction. In PostgreSQL's dialect each transaction begins with GuardBlock, and another one
// with ClosingBlock follows (stores/sql/boundaries.h). Precondition: the prefix passed CheckPrefix.
std::string SchemaScriptOf(const SqlSchema& schema, std::string_view prefix);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_SCHEMA_SCRIPT_H_
