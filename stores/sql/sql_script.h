// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_SQL_SCRIPT_H_
#define FLAKY_STORES_SQL_SQL_SCRIPT_H_

#include <string>
#include <string_view>
#include <vector>

namespace flaky {

// One statement of a script, and the column on which it depends.
struct SqlStep {
  enum class When {
    kAlways,
    kIfMissing,  // only if `table` has no `column`
    kIfPresent,  // only if `table` has `column`
  };
  std::string sql;  // without the closing semicolon
  When when = When::kAlways;
  std::string table;
  std::string column;
};

// Splits a script at its semicolons, except those within quotes ('…', "…", `…`, […], $tag$…$tag$) and comments. Two
// comments are directives:
//
//   -- if-missing: TABLE.COLUMN             the next statement is for databases without that column
//   -- if-present: TABLE.COLUMN: STATEMENT  a statement for databases with that column, entirely within the comment
//
// So a script that is run by hand, on an empty database, does the same as one that is run step by step. Bodies of
// triggers (BEGIN … END) are not supported. Throws std::invalid_argument, with the line, for an unterminated quote or
// comment and for a malformed directive.
std::vector<SqlStep> ParseSqlScript(std::string_view script);

// Returns the text with every `from` replaced by `to`.
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_SQL_SCRIPT_H_
