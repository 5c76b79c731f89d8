// SPDX-License-Identifier: MIT
#include "stores/postgres/access.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "history/text.h"
#include "stores/postgres/binary.h"
#include "stores/sql/boundaries.h"
#include "stores/sql/sql_script.h"

namespace flaky::postgres {
namespace {

constexpr std::string_view kOperation = "use the tables";

// Relations that a query can name as a table.
constexpr std::string_view kRelations = "('r', 'p', 'v', 'm', 'f')";

std::string TextAt(const pqxx::row& row, int column) {
  const pqxx::field field = row[column];
  return field.is_null() ? "" : std::string(field.c_str(), static_cast<size_t>(field.size()));
}

bool IsTrue(const pqxx::row& row, int column) { return TextAt(row, column) == "t"; }

// Returns a name of the server, which another role may have chosen, for a message of one line.
std::string Shown(std::string_view name) {
  std::string shown;
  for (const char c : CutTo(MakeStorable(name), 200)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return shown;
}

// The tables of a WITH RECURSIVE clause. $1: the schemas in which the tables may be; $2: the names of the tables; $3
// and $4: those by which they are found.
std::string Places() {
  return "WITH RECURSIVE place AS ("
         "SELECT n.oid, n.nspname, n.nspowner, d.datdba FROM unnest($1::text[]) WITH ORDINALITY AS s (name, step) "
         "JOIN pg_namespace n ON n.nspname = s.name JOIN pg_database d ON d.datname = current_database() "
         "LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname IN ($3::text, $4::text) AND c.relkind IN " +
         std::string(kRelations) +
         " ORDER BY CASE c.relname WHEN $3::text THEN 0 WHEN $4::text THEN 1 ELSE 2 END, s.step LIMIT 1),\n" +
         std::string(kTrustTables) +
         ",\noutside AS (SELECT r.oid, r.rolname FROM pg_roles r, me WHERE r.oid <> me.oid AND " + IsPublicRole("r") +
         ")\n";
}

BinaryValues PlaceValues(const Connection& connection) {
  BinaryArray schemas(ColumnType::kText);
  if (connection.schema().empty()) {
    for (const std::string& schema : connection.users_path()) schemas.AddText(schema);
  } else {
    schemas.AddText(connection.schema());
  }
  BinaryArray names(ColumnType::kText);
  for (const std::string& name : NamesOfTables(connection.prefix())) names.AddText(name);
  return {schemas.Take(), names.Take(), connection.Name("runs"), connection.Name("schema")};
}

// Returns the condition that a policy lets this role do something with every row: `command` is r, a, w or d.
std::string Admits(const std::string& command) {
  const std::string is_ours = "p.polname = '" + std::string(kGrantedPolicy) +
                              "' AND pg_get_expr(p.polqual, p.polrelid) LIKE '%CURRENT_USER <> ALL %' AND NOT " +
                              IsPublicRole("me");
  return "coalesce(bool_or(p.polpermissive AND p.polcmd IN ('*', '" + command +
         "') AND (coalesce(pg_get_expr(p.polqual, p.polrelid), 'true') = 'true' AND "
         "coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'true') = 'true' OR " +
         is_ours + ")), false)";
}

// Returns the query for one row per table, and one row without a table if no table exists. `f.oids`: the table with its
// partitions, which may be used without it.
std::string AccessSql() {
  const std::string grants =
      "FROM (SELECT k.relacl FROM pg_class k WHERE k.oid = ANY (f.oids) UNION ALL SELECT a.attacl FROM pg_attribute a "
      "WHERE a.attrelid = ANY (f.oids) UNION ALL SELECT q.relacl FROM pg_depend d JOIN pg_class q ON q.oid = d.objid "
      "AND q.relkind = 'S' WHERE d.refobjid = ANY (f.oids) AND d.classid = 'pg_class'::regclass AND d.refclassid = "
      "'pg_class'::regclass) l (acl) CROSS JOIN LATERAL aclexplode(l.acl) e ";
  const std::string triggers = "FROM pg_trigger g WHERE g.tgrelid = ANY (f.oids) AND NOT g.tgisinternal";
  return Places() +
         "SELECT me.rolname, place.nspname, (SELECT string_agg(rolname, ', ' ORDER BY rolname) FROM outside), "
         "c.relname, pg_get_userbyid(c.relowner), "
         // trusted, mine
         "NOT EXISTS (SELECT FROM pg_class k WHERE k.oid = ANY (f.oids) AND NOT " +
         IsTrusted("k.relowner") +
         "), pg_has_role(c.relowner, 'USAGE'), "
         // ordinary, plain
         "c.relkind IN ('r', 'p'), c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_type t "
         "ON t.oid = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0 AND t.typnamespace <> "
         "'pg_catalog'::regnamespace), "
         // foreign_triggers, has_triggers
         "(SELECT string_agg(format('%s (its function belongs to %s)', x.tgname, pg_get_userbyid(x.proowner)), ', ') "
         "FROM (SELECT g.tgname, r.proowner " +
         ReplaceAll(triggers, "pg_trigger g", "pg_trigger g JOIN pg_proc r ON r.oid = g.tgfoid") + ") x WHERE NOT " +
         IsTrusted("x.proowner") + "), EXISTS (SELECT " + triggers +
         "), "
         // secured, filtered, whole, changeable
         "NOT EXISTS (SELECT FROM pg_class k WHERE k.oid = ANY (f.oids) AND NOT k.relrowsecurity AND k.relkind IN "
         "('r', "
         "'p')), row_security_active(c.oid), NOT p.restricted AND p.r, NOT p.restricted AND p.r AND p.a AND p.w AND "
         "p.d, "
         // granted, reached_by, public_rights
         "EXISTS (SELECT " +
         grants +
         "WHERE e.grantor = c.relowner AND (e.grantee = 0 OR EXISTS (SELECT FROM outside o WHERE o.oid = e.grantee AND "
         "o.oid <> c.relowner))), "
         "(SELECT string_agg(o.rolname, ', ' ORDER BY o.rolname) FROM outside o WHERE o.oid <> c.relowner AND EXISTS "
         "(SELECT FROM unnest(f.oids) AS k (oid) WHERE has_table_privilege(o.oid, k.oid, 'SELECT, INSERT, UPDATE, "
         "DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege(o.oid, k.oid, 'SELECT, INSERT, UPDATE, "
         "REFERENCES'))), "
         "(SELECT string_agg(DISTINCT e.privilege_type, ', ') " +
         grants +
         "WHERE e.grantee = 0) "
         "FROM place CROSS JOIN me LEFT JOIN pg_class c ON c.relnamespace = place.oid AND c.relname = ANY ($2::text[]) "
         "AND c.relkind IN " +
         std::string(kRelations) +
         " LEFT JOIN LATERAL (WITH RECURSIVE part (oid) AS (SELECT c.oid UNION SELECT i.inhrelid FROM pg_inherits i "
         "JOIN part ON i.inhparent = part.oid) SELECT array_agg(part.oid) AS oids FROM part) f ON true "
         "LEFT JOIN LATERAL (SELECT coalesce(bool_or(NOT p.polpermissive), false) AS restricted, " +
         Admits("r") + " AS r, " + Admits("a") + " AS a, " + Admits("w") + " AS w, " + Admits("d") +
         " AS d FROM pg_policy p WHERE p.polrelid = c.oid AND (p.polroles = '{0}' OR EXISTS (SELECT FROM "
         "unnest(p.polroles) AS x (oid) WHERE pg_has_role(x.oid, 'USAGE')))) p ON true "
         "ORDER BY array_position($2::text[], c.relname::text)";
}

TableAccess TableOf(const pqxx::row& row) {
  TableAccess table;
  int column = 3;
  const auto text = [&] { return Shown(TextAt(row, column++)); };
  const auto truth = [&] { return IsTrue(row, column++); };
  table.name = text();
  table.owner = text();
  table.trusted = truth();
  table.mine = truth();
  table.ordinary = truth();
  table.plain = truth();
  table.foreign_triggers = text();
  table.has_triggers = truth();
  table.secured = truth();
  table.filtered = truth();
  table.whole = truth() || !table.filtered;
  table.changeable = truth() || !table.filtered;
  table.granted = truth();
  table.reached_by = text();
  table.public_rights = text();
  return table;
}

std::string Quoted(const std::string& name) { return "'" + name + "'"; }

[[noreturn]] void RefuseFiltered(const Connection& connection, const Access& access, const std::string& tables,
                                 const TableAccess& one) {
  const std::string table = connection.Table(one.name.substr(connection.prefix().size()));
  const std::string role = QuotedName(access.role);
  connection.Fail(ErrorKind::kAuth, kOperation,
                  "row-level security hides rows of " + tables + " from the role '" + access.role +
                      "', so this would not be the whole history. Connect as the tables' owner '" + one.owner +
                      "' or as a role with BYPASSRLS, or let the owner run, for each of these tables, CREATE POLICY " +
                      role + " ON " + table + " TO " + role + " USING (true) WITH CHECK (true)");
}

// Returns the tables for which `is_refused`, as text, and the last of them.
template <typename Predicate>
std::pair<std::string, const TableAccess*> Find(const Access& access, Predicate is_refused) {
  std::pair<std::string, const TableAccess*> found{"", nullptr};
  for (const TableAccess& table : access.tables) {
    if (!is_refused(table)) continue;
    found.first += (found.second == nullptr ? "" : ", ") + Quoted(table.name);
    found.second = &table;
  }
  return found;
}

}  // namespace

Access ReadAccess(const Connection& connection, pqxx::transaction_base& transaction) {
  static const std::string sql = AccessSql();
  Access access;
  for (const pqxx::row& row : Execute(transaction, sql, PlaceValues(connection))) {
    access.role = Shown(TextAt(row, 0));
    access.schema = TextAt(row, 1);
    access.public_roles = Shown(TextAt(row, 2));
    if (!row[3].is_null()) access.tables.push_back(TableOf(row));
  }
  return access;
}

bool IsLedger(const Connection& connection, const TableAccess& table) {
  return table.name == connection.Name("schema") || table.name == connection.Name("supabase_schema");
}

void RequireReadable(const Connection& connection, const Access& access) {
  const auto is_read = [&](const TableAccess& table) {
    return table.name != connection.Name("claims") && table.name != connection.Name("supabase_schema");
  };
  if (const auto [tables, one] =
          Find(access, [&](const TableAccess& table) { return is_read(table) && !table.trusted && !table.plain; });
      one != nullptr) {
    connection.Fail(ErrorKind::kAuth, kOperation,
                    tables + " is not an ordinary table and belongs to the role '" + one->owner +
                        "', whose code could run with the rights of '" + access.role + "' when it is read. " + "If '" +
                        one->owner + "' is to be trusted, let an administrator grant the one role to the " +
                        "other; else choose another schema or prefix");
  }
  if (const auto [tables, one] = Find(access, [&](const TableAccess& table) { return is_read(table) && !table.whole; });
      one != nullptr) {
    RefuseFiltered(connection, access, tables, *one);
  }
}

void RequireWritable(const Connection& connection, const Access& access) {
  if (const auto [tables, one] = Find(access, [](const TableAccess& table) { return !table.trusted; });
      one != nullptr) {
    connection.Fail(ErrorKind::kAuth, kOperation,
                    tables + " belongs to the role '" + one->owner + "', whose code could run with the rights of '" +
                        access.role + "' when it is written. If '" + one->owner +
                        "' is to be trusted, let it or an administrator run ALTER TABLE … OWNER TO for each of these "
                        "tables; else drop them, or choose another schema or prefix");
  }
  if (const auto [tables, one] = Find(access, [](const TableAccess& table) { return !table.foreign_triggers.empty(); });
      one != nullptr) {
    connection.Fail(
        ErrorKind::kAuth, kOperation,
        tables + " has a trigger whose function could run code of another role with the rights of '" + access.role +
            "': " + one->foreign_triggers +
            ". Drop the trigger, or give the function to a role that you trust (ALTER FUNCTION … OWNER TO)");
  }
  if (const auto [tables, one] =
          Find(access, [&](const TableAccess& table) { return !table.changeable && !IsLedger(connection, table); });
      one != nullptr) {
    RefuseFiltered(connection, access, tables, *one);
  }
}

Connection::Needs NeedsOf(const Access& access) {
  Connection::Needs needs;
  for (const TableAccess& table : access.tables) {
    needs.users_path = needs.users_path || table.has_triggers;
    needs.policies = needs.policies || (table.filtered && table.whole);
  }
  return needs;
}

bool IsOpen(const Access& access) {
  return !access.public_roles.empty() && std::ranges::any_of(access.tables, [](const TableAccess& table) {
    return table.ordinary && (!table.secured || table.granted);
  });
}

std::string OpenTablesPhrase(const Access& access) {
  const auto [tables, one] = Find(access, [](const TableAccess& table) { return !table.reached_by.empty(); });
  if (one == nullptr) return "";
  return "public roles (" + one->reached_by + ") have rights to " + tables +
         (one->secured ? "" : ", and row-level security is off") + ": only their owner '" + one->owner +
         "' can change that, with `flaky schema migrate` or the SQL that `flaky schema sql --store postgres` prints";
}

std::vector<std::string> ForeignRoutines(const Connection& connection, const Access& access,
                                         pqxx::transaction_base& transaction) {
  constexpr std::string_view kMost = "5";
  BinaryValues values = PlaceValues(connection);
  std::string sql =
      Places() +
      "SELECT format('%s of the role %s', x.name, pg_get_userbyid(x.owner)) FROM (SELECT format('the function %s', "
      "f.oid::regprocedure) AS name, f.proowner AS owner FROM pg_proc f JOIN place ON f.pronamespace = place.oid WHERE "
      "EXISTS (SELECT FROM pg_proc k WHERE k.pronamespace = 'pg_catalog'::regnamespace AND k.proname = f.proname) OR " +
      IsRestFunction("f", connection.prefix()) +
      " UNION ALL SELECT format('the operator %s', o.oid::regoperator), o.oprowner FROM pg_operator o JOIN place ON "
      "o.oprnamespace = place.oid) x, me, place WHERE cardinality($2::text[]) > 0 AND NOT " +
      IsTrusted("x.owner") + " ORDER BY 1 LIMIT " + std::string(kMost);
  std::vector<std::string> routines;
  if (access.schema.empty()) return routines;
  for (const pqxx::row& row : Execute(transaction, sql, std::move(values))) routines.push_back(Shown(TextAt(row, 0)));
  return routines;
}

}  // namespace flaky::postgres
