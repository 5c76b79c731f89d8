// SPDX-License-Identifier: MIT
#include "stores/sql/adoption.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "history/run.h"
#include "history/text.h"
#include "stores/sql/boundaries.h"

namespace flaky {
namespace {

// `alias.a, alias.b, …`
std::string Qualified(std::string_view alias, const std::vector<std::string>& columns) {
  return Join(columns, ", ", [&](const std::string& column) { return std::string(alias) + "." + column; });
}

// What versions 2 to 6 of the npm packages' tables added to `runs`, one each.
constexpr std::string_view kLaterNpmColumns[] = {"passed_tests", "errors_between_tests", "runtime_version", "test_args",
                                                 "project"};

const std::vector<std::string>& ShapeOf(std::string_view table) {
  return std::ranges::find(TableShapes(), table, &TableShape::name)->columns;
}

bool Has(const std::vector<std::string>& columns, std::string_view column) {
  return std::ranges::find(columns, column) != columns.end();
}

std::string Quoted(std::string_view prefix, std::string_view table) {
  return '"' + std::string(prefix) + std::string(table) + '"';
}

struct Adoption {
  SqlDialect dialect;
  std::string_view from, to;
  const ColumnSet* present = nullptr;  // columns of the legacy runs, if the legacy tables are the npm packages'

  std::string Old(std::string_view table) const { return Quoted(from, table); }
  std::string New(std::string_view table) const { return Quoted(to, table); }
  bool OnSqlite() const { return dialect == SqlDialect::kSqlite; }
  // Treats NULL as equal to NULL.
  std::string_view Same() const { return OnSqlite() ? " IS " : " IS NOT DISTINCT FROM "; }
};

// Returns the columns to copy. A failure gets its id from its new table.
std::vector<std::string> ColumnsToCopy(std::string_view table) {
  if (table == "runs") return Columns().runs;
  if (table == "failures") {
    std::vector<std::string> columns = Columns().failures;
    columns.insert(columns.begin(), "run_id");
    return columns;
  }
  return ShapeOf(table);
}

// Returns the expression that converts a value for the tables in use, as docs/reference/conversion.md says, if the
// column is never NULL or has a fixed set of words. All other values stay as they are, because both tables are read in
// the same way.
std::string Fitting(const Adoption& adoption, std::string_view table, const std::string& column,
                    const std::string& value) {
  if (adoption.OnSqlite()) {
    const bool never_null = column == "started_at" || column == "failed_at" || column == "test_file" ||
                            column == "test_name" || column == "failure_kind" ||
                            (column == "part_id" && table == "parts");
    return never_null ? "coalesce(" + value + ", '')" : value;
  }
  const auto one_of = [&](std::span<const std::string_view> words, const std::string& otherwise) {
    std::string list;
    for (const std::string_view word : words) list += (list.empty() ? "'" : ", '") + std::string(word) + "'";
    return "CASE WHEN " + value + " IN (" + list + ") THEN " + value + otherwise + " END";
  };
  if (column == "status") return one_of(kStatuses, "");
  if (column == "failure_kind") return one_of(kFailureKinds, " ELSE '" + std::string(kUnknown) + "'");
  return value;
}

// Returns the rows of a legacy table with all columns of the new one, as `(SELECT …)`.
std::string OldRows(const Adoption& adoption, std::string_view table) {
  const bool is_failure = table == "failures";
  const std::vector<std::string>& certain = ShapeOf(table);
  std::string list;
  std::vector<std::string> uncertain;
  for (const std::string& column : ColumnsToCopy(table)) {
    std::string value = "o." + column;
    if (!Has(certain, column)) {
      if (adoption.present == nullptr) {
        // If the legacy table lacks the column, the name resolves one scope further out, in a row of nulls.
        uncertain.push_back(column);
        value = "(SELECT " + column + " FROM " + adoption.Old(table) + " AS x WHERE x.run_id = o.run_id" +
                (is_failure ? " AND x.id = o.id)" : ")");
      } else if (is_failure || !adoption.present->contains(column)) {
        value = "NULL";
      }
    }
    list += (list.empty() ? "" : ", ") + Fitting(adoption, table, column, value) + " AS " + column;
  }
  std::string rows = "(SELECT " + list + " FROM " + adoption.Old(table) + " AS o";
  if (!uncertain.empty()) {
    rows += ", (SELECT " + Qualified("n", uncertain) + " FROM (SELECT 1) AS one LEFT JOIN " + adoption.New(table) +
            " AS n ON 1 = 0) AS lacking";
  }
  if (adoption.OnSqlite() && table == "runs") rows += " WHERE typeof(o.run_id) = 'text'";
  return rows + ")";
}

std::string Equal(const Adoption& adoption, std::string_view table, std::string_view one, std::string_view other) {
  std::vector<std::string> columns = ColumnsToCopy(table);
  std::erase(columns, "run_id");
  return Join(columns, " AND ", [&](const std::string& column) {
    return std::string(one) + "." + column + std::string(adoption.Same()) + std::string(other) + "." + column;
  });
}

// A failure gets the project of its run in the new tables, `n`.
std::string Insert(const Adoption& adoption, std::string_view table) {
  const std::vector<std::string> columns = ColumnsToCopy(table);
  const bool is_failure = table == "failures";
  return std::string(adoption.OnSqlite() ? "INSERT OR IGNORE" : "INSERT") + " INTO " + adoption.New(table) + " (" +
         Join(columns, ", ") + (is_failure ? ", project" : "") + ")\nSELECT " + Qualified("r", columns) +
         (is_failure ? ", n.project" : "") + "\nFROM " + OldRows(adoption, table) + " AS r";
}

std::string_view Ignore(const Adoption& adoption) { return adoption.OnSqlite() ? "" : "\nON CONFLICT DO NOTHING"; }

// `within`: a condition on the rows `r`.
std::string InsertRuns(const Adoption& adoption, const std::string& within) {
  return Insert(adoption, "runs") + "\nWHERE " + within + "NOT EXISTS (SELECT 1 FROM " + adoption.New("runs") +
         " AS n WHERE n.run_id = r.run_id)" + std::string(Ignore(adoption));
}

std::string NoneOf(const Adoption& adoption, std::string_view table) {
  return "NOT EXISTS (SELECT 1 FROM " + adoption.New(table) + " AS t WHERE t.run_id = r.run_id)";
}

// Inserts what belongs to runs that are equal in both, if the new tables have nothing of the kind. Failures come before
// parts.
std::string InsertOfRuns(const Adoption& adoption, std::string_view table, const std::string& within) {
  std::string sql = Insert(adoption, table) + "\nJOIN " + OldRows(adoption, "runs") +
                    " AS o ON o.run_id = r.run_id\nJOIN " + adoption.New("runs") + " AS n ON n.run_id = o.run_id AND " +
                    Equal(adoption, "runs", "n", "o") + "\nWHERE " + within;
  if (table == "failures") sql += NoneOf(adoption, "failures") + " AND ";
  return sql + NoneOf(adoption, "parts") + std::string(Ignore(adoption));
}

std::string InsertRosters(const Adoption& adoption) {
  return Insert(adoption, "rosters") + "\nWHERE NOT EXISTS (SELECT 1 FROM " + adoption.New("rosters") +
         " AS n WHERE n.roster_id = r.roster_id)" + std::string(Ignore(adoption));
}

// Returns a query for the rows of the legacy table that the new one lacks, or has less often. It only compares the new
// rows of runs (or rosters) that the legacy table has.
std::string Differences(const Adoption& adoption, std::string_view table) {
  const std::string list = Join(ColumnsToCopy(table), ", ");
  const std::string key = table == "rosters" ? "roster_id" : "run_id";
  return "SELECT " + list + ", count(*) FROM " + OldRows(adoption, table) + " AS r GROUP BY " + list +
         "\n  EXCEPT SELECT " + list + ", count(*) FROM " + adoption.New(table) + " AS r WHERE r." + key +
         " IN (SELECT " + key + " FROM " + adoption.Old(table) + ") GROUP BY " + list;
}

// SQLite's tools continue a script after a statement that failed. So rows that refer to the legacy tables keep the
// database from dropping these, and are removed if everything was copied. They outnumber the legacy rows that refer to
// nothing: SQLite counts the removal of such a row as a repaired reference, and only checks the balance.
std::string DropSqlite(const Adoption& adoption, std::span<const std::string_view> tables) {
  std::string differ;
  for (const std::string_view table : tables) {
    differ += (differ.empty() ? "EXISTS (" : "\n  OR EXISTS (") + Differences(adoption, table) + ")";
  }
  differ += "\n  OR EXISTS (SELECT 1 FROM " + adoption.Old("runs") + " WHERE typeof(run_id) <> 'text')";
  const std::string guard = adoption.New("not_adopted");
  const std::string runs = adoption.Old("runs"), failures = adoption.Old("failures"), parts = adoption.Old("parts"),
                    rosters = adoption.Old("rosters");
  std::string columns =
      "  run_id TEXT REFERENCES " + runs + " (run_id),\n  failure_id INTEGER REFERENCES " + failures + " (id)";
  std::string first = "(SELECT min(run_id) FROM " + runs + "), (SELECT min(id) FROM " + failures + ")";
  std::string rows = "SELECT 1 UNION ALL SELECT 1 FROM " + failures + " AS f WHERE NOT EXISTS (SELECT 1 FROM " + runs +
                     " AS r WHERE r.run_id = f.run_id)";
  if (adoption.from != kNpmPrefix) {
    columns += ",\n  part_run_id TEXT,\n  part_id TEXT,\n  roster_id TEXT REFERENCES " + rosters +
               " (roster_id),\n  FOREIGN KEY (part_run_id, part_id) REFERENCES " + parts + " (run_id, part_id)";
    const std::string first_part = " FROM " + parts + " ORDER BY run_id, part_id LIMIT 1)";
    first += ", (SELECT run_id" + first_part + ", (SELECT part_id" + first_part + ", (SELECT min(roster_id) FROM " +
             rosters + ")";
    for (const auto& [parent, key] : {std::pair(runs, "run_id"), std::pair(rosters, "roster_id")}) {
      rows += "\n  UNION ALL SELECT 1 FROM " + parts + " AS p WHERE NOT EXISTS (SELECT 1 FROM " + parent +
              " AS r WHERE r." + key + " = p." + key + ")";
    }
  }
  std::string script = "CREATE TABLE " + guard + " (\n" + columns + "\n);\n\nINSERT INTO " + guard + "\nSELECT " +
                       first + "\nFROM (" + rows + ");\n\nDELETE FROM " + guard + "\nWHERE NOT (" + differ + ");\n\n";
  if (adoption.from != kNpmPrefix) {
    for (const std::string& view : NamesOfViews(adoption.from)) script += "DROP VIEW IF EXISTS \"" + view + "\";\n";
  }
  script += "DROP TABLE " + adoption.Old("failures") + ";\n";
  if (adoption.from != kNpmPrefix) script += "DROP TABLE IF EXISTS " + adoption.Old("parts") + ";\n";
  script += "DROP TABLE " + adoption.Old("runs") + ";\n";
  if (adoption.from != kNpmPrefix) {
    for (const std::string_view table : {"rosters", "claims", "schema"}) {
      script += "DROP TABLE IF EXISTS " + adoption.Old(table) + ";\n";
    }
  }
  return script + "DROP TABLE " + guard + ";\n";
}

// In a DO block: runs `statements` only if the legacy table exists and is this program's.
std::string WhereOurs(const Adoption& adoption, std::string_view table, std::string_view column,
                      const std::string& statements) {
  return "  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('" + adoption.Old(table) +
         "') AND attname = '" + std::string(column) + "') THEN\n" + statements + "  END IF;\n";
}

std::string Raise(const std::string& condition) {
  return "  IF " + condition +
         " THEN\n    RAISE EXCEPTION 'the legacy tables have rows that the new tables lack or hold differently: "
         "nothing was dropped';\n  END IF;\n";
}

std::string InBlock(const std::string& statements) { return "DO $$\nBEGIN\n" + statements + "END $$;\n"; }

std::string DropPostgres(const Adoption& adoption) {
  std::string block;
  for (const std::string_view table : {"runs", "failures"}) {
    block += Raise("EXISTS (" + Differences(adoption, table) + ")");
  }
  const auto compare = [&](std::string_view table, std::string_view column) {
    block += WhereOurs(adoption, table, column, Raise("EXISTS (" + Differences(adoption, table) + ")"));
  };
  compare("parts", "part_id");
  compare("rosters", "roster_id");
  for (const std::string& view : NamesOfViews(adoption.from)) {
    const std::string name = '"' + view + '"';
    block += "  IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('" + name +
             "') AND relkind = 'v') THEN\n    DROP VIEW " + name + ";\n  END IF;\n";
  }
  block += "  DROP TABLE " + adoption.Old("failures") + ";\n";
  const auto drop = [&](std::string_view table, std::string_view column) {
    block += WhereOurs(adoption, table, column, "    DROP TABLE " + adoption.Old(table) + ";\n");
  };
  drop("parts", "part_id");
  block += "  DROP TABLE " + adoption.Old("runs") + ";\n";
  drop("rosters", "roster_id");
  drop("claims", "lapses_at");
  drop("schema", "checksum");
  return "LOCK TABLE " + adoption.Old("runs") + ", " + adoption.Old("failures") + " IN ACCESS EXCLUSIVE MODE;\n\n" +
         InBlock(block);
}

}  // namespace

bool AreNpmTables(const ColumnSet& runs, const ColumnSet& failures) {
  const auto is_exactly = [](const ColumnSet& columns, const std::vector<std::string>& wanted) {
    return columns == ColumnSet(wanted.begin(), wanted.end());
  };
  if (!is_exactly(failures, ShapeOf("failures"))) return false;
  std::vector<std::string> version = ShapeOf("runs");
  if (is_exactly(runs, version)) return true;
  return std::ranges::any_of(kLaterNpmColumns, [&](std::string_view column) {
    version.emplace_back(column);
    return is_exactly(runs, version);
  });
}

NpmAdoption NpmAdoptionInto(std::string_view prefix, const ColumnSet& runs) {
  const Adoption adoption{SqlDialect::kSqlite, kNpmPrefix, prefix, &runs};
  const std::string old_runs = adoption.Old("runs");
  const std::string unnamed = "(SELECT count(*) FROM " + old_runs + " WHERE typeof(run_id) <> 'text')";
  const std::string rows = OldRows(adoption, "runs");
  const std::string not_there =
      rows + " AS r WHERE NOT EXISTS (SELECT 1 FROM " + adoption.New("runs") + " AS n WHERE n.run_id = r.run_id)";
  NpmAdoption sql;
  sql.range = "SELECT max(run_id), count(*) FROM (SELECT run_id FROM " + old_runs +
              " WHERE run_id >= ?1 AND typeof(run_id) = 'text' ORDER BY run_id LIMIT ?2)";
  const std::string within = "r.run_id >= ?1 AND r.run_id <= ?2 AND ";
  sql.statements = {InsertRuns(adoption, within), InsertOfRuns(adoption, "failures", within)};
  sql.account = "SELECT (SELECT count(*) FROM " + old_runs + "), (SELECT count(*) FROM " + adoption.Old("failures") +
                "), (SELECT count(*) FROM " + rows + " AS r JOIN " + adoption.New("runs") +
                " AS n ON n.run_id = r.run_id WHERE NOT (" + Equal(adoption, "runs", "n", "r") +
                ")), (SELECT count(*) FROM " + not_there + "), " + unnamed + " + (SELECT count(*) FROM " +
                adoption.Old("failures") + " AS f WHERE NOT EXISTS (SELECT 1 FROM " + old_runs +
                " AS o WHERE o.run_id = f.run_id AND typeof(o.run_id) = 'text'))";
  sql.unfinished = "SELECT 1 FROM " + not_there + " LIMIT 1";
  return sql;
}

std::string AdoptionScript(SqlDialect dialect, std::string_view from, std::string_view to, bool drop) {
  const Adoption adoption{dialect, from, to};
  const bool only_npm = adoption.OnSqlite() && from == kNpmPrefix;
  std::string script =
      "-- Imports the rows of the legacy tables that the tables in use lack. Rows that are there stay as they are.\n";
  if (only_npm)
    script +=
        "-- The legacy tables are those of the npm packages; their list of versions, schema_version, is left alone.\n";
  if (adoption.OnSqlite() && drop) script += "PRAGMA foreign_keys = ON;\n";
  script += "BEGIN;\n\n";
  if (adoption.OnSqlite()) {
    if (!only_npm) script += InsertRosters(adoption) + ";\n\n";
    script += InsertRuns(adoption, "") + ";\n\n" + InsertOfRuns(adoption, "failures", "") + ";\n\n";
    if (!only_npm) script += InsertOfRuns(adoption, "parts", "") + ";\n\n";
  } else {
    script += InBlock(WhereOurs(adoption, "rosters", "roster_id", InsertRosters(adoption) + ";\n")) + "\n" +
              InsertRuns(adoption, "") + ";\n\n" + InsertOfRuns(adoption, "failures", "") + ";\n\n" +
              InBlock(WhereOurs(adoption, "parts", "part_id", InsertOfRuns(adoption, "parts", "") + ";\n")) + "\n";
  }
  if (drop) {
    constexpr std::string_view kTables[] = {"runs", "failures", "parts", "rosters"};
    script += "-- Fails, and drops nothing, if a row of the legacy tables is missing in the new ones or differs.\n";
    script +=
        adoption.OnSqlite() ? DropSqlite(adoption, std::span(kTables).first(only_npm ? 2 : 4)) : DropPostgres(adoption);
    script += "\n";
  }
  return script + "COMMIT;\n";
}

}  // namespace flaky
