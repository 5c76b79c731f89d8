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
    kIfMissing,  // only where `table` has no `column`
    kIfPresent,  // only where there is `table` with `column`
  };
  std::string sql;  // without the closing semicolon
  When when = When::kAlways;
  std::string table;
  std::string column;
};

// Takes a script apart at its semicolons; those within quotes ('…', "…", `…`, […], $tag$…$tag$) and comments separate
// nothing. Two comments are directives:
//
//   -- if-missing: TABLE.COLUMN             the statement that follows is for databases without that column
//   -- if-present: TABLE.COLUMN: STATEMENT  a statement for databases with that column, wholly within the comment
//
// So a script run by hand, on an empty database, does the same as one run by steps. Bodies of triggers (BEGIN … END)
// are not understood. Throws std::invalid_argument, with the line, for a quote or comment without end and for a
// directive that is not of this form.
std::vector<SqlStep> ParseSqlScript(std::string_view script);

// The text with `to` in every place of `from`.
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_SQL_SCRIPT_H_
