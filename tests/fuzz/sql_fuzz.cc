// SPDX-License-Identifier: MIT
#include <stdexcept>

#include "stores/sql/sql_script.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {

// A script of SQL statements.
void CheckInput(std::string_view input) {
  std::vector<SqlStep> steps;
  try {
    steps = ParseSqlScript(input);
  } catch (const std::invalid_argument&) {
    return;
  }
  for (const SqlStep& step : steps) {
    Require(!step.sql.empty(), "a step has a statement");
    Require(step.sql.find_first_not_of(" \t\r\n") == 0, "a statement does not begin with a blank");
    Require((step.when == SqlStep::When::kAlways) == step.table.empty(), "a condition names a table");
    Require(step.table.empty() == step.column.empty(), "a condition names a column");
    if (step.when == SqlStep::When::kIfPresent) continue;  // not split further
    const std::vector<SqlStep> again = ParseSqlScript(step.sql);
    Require(again.size() == 1 && again.front().sql == step.sql, "a statement is one statement");
  }
  Require(ReplaceAll(input, ";", ";") == input, "replacing a text by itself changes nothing");
}

}  // namespace flaky::fuzz
