// SPDX-License-Identifier: MIT
#include "stores/sql/boundaries.h"

#include "history/text.h"
#include "stores/sql/sql_script.h"
#include "stores/sql/tables.h"

namespace flaky {
namespace {

std::string Literal(std::string_view text) { return "'" + ReplaceAll(text, "'", "''") + "'"; }

std::string RunsTable(std::string_view prefix, std::string_view scope) {
  return Literal(std::string(scope) + '"' + std::string(prefix) + "runs\"");
}

std::string Names(std::string_view prefix) { return Join(NamesOfTables(prefix), ", ", Literal); }
std::string ViewNames(std::string_view prefix) { return Join(NamesOfViews(prefix), ", ", Literal); }

constexpr std::string_view kPublicNames = "'anon', 'anonymous', 'authenticated', 'web_anon'";

constexpr std::string_view kStrictPath =
    "  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);\n";

}  // namespace

const std::string_view kTrustTables =
    "me AS (SELECT oid, rolname FROM pg_roles WHERE rolname = current_user),\n"
    "own (oid) AS (\n"
    "  SELECT oid FROM me\n"
    "  UNION\n"
    "  SELECT m.roleid FROM own JOIN pg_auth_members m ON m.member = own.oid JOIN pg_roles g ON g.oid = m.grantor\n"
    "  CROSS JOIN place\n"
    "  WHERE g.rolsuper OR g.rolcreaterole OR pg_has_role(g.oid, place.datdba, 'MEMBER'))";

std::string IsPublicRole(std::string_view alias) {
  return ReplaceAll(
      "(@.rolname IN (" + std::string(kPublicNames) +
          ") OR EXISTS (SELECT FROM pg_roles a WHERE "
          "a.rolname = 'authenticator' AND concat('pgrst.db_anon_role=', @.rolname) = ANY (a.rolconfig)))",
      "@", alias);
}

std::string IsTrusted(std::string_view role) {
  return ReplaceAll(
      "(@ IN (SELECT oid FROM own) OR pg_has_role(@, me.oid, 'MEMBER') OR pg_has_role(@, place.datdba, 'MEMBER') OR "
      "pg_has_role(@, place.nspowner, 'MEMBER'))",
      "@", role);
}

std::vector<std::string> NamesOfTables(std::string_view prefix) {
  std::vector<std::string> names;
  // The order in which every write locks them.
  for (const std::string_view name : {"runs", "rosters", "parts", "failures", "claims", "schema", "supabase_schema"}) {
    names.push_back(std::string(prefix) + std::string(name));
  }
  return names;
}

std::vector<std::string> NamesOfViews(std::string_view prefix) {
  std::vector<std::string> names;
  for (const std::string_view name : {"test_days", "run_days", "failures_with_run", "executions", "roster_tests"}) {
    names.push_back(std::string(prefix) + std::string(name));
  }
  return names;
}

std::string IsRestFunction(std::string_view routine, std::string_view prefix) {
  std::vector<std::string> names;
  for (const std::string_view name : {"schema", "records", "answer", "texts", "fetch", "runs", "find", "failures",
                                      "count", "add", "insert", "change", "claim"}) {
    names.push_back("rest_" + std::string(prefix) + std::string(name));
  }
  return std::string(routine) + ".proname IN (" + Join(names, ", ", Literal) + ")";
}

std::string ClosingBlock(std::string_view prefix, std::string_view scope) {
  return "DO $$\nDECLARE\n"
         "  runs pg_catalog.regclass := pg_catalog.to_regclass(" +
         RunsTable(prefix, scope) +
         ");\n"
         "  closed pg_catalog.text;\n"
         "  hidden_from pg_catalog.text[];\n"
         "  item RECORD;\n"
         "BEGIN\n" +
         std::string(kStrictPath) +
         "  SELECT string_agg(quote_ident(r.rolname), ', '), array_agg(r.rolname::text) INTO closed, hidden_from\n"
         "  FROM pg_roles r\n"
         "  WHERE " +
         IsPublicRole("r") +
         " AND r.oid <> (SELECT relowner FROM pg_class WHERE oid = runs);\n"
         "  IF closed IS NULL THEN\n"
         "    RETURN;\n"
         "  END IF;\n"
         "  hidden_from := hidden_from || ARRAY[" +
         std::string(kPublicNames) +
         "];\n"
         "  FOR item IN\n"
         "    WITH RECURSIVE t (oid, place) AS (\n"
         "      SELECT c.oid, array_position(ARRAY[" +
         Names(prefix) +
         "], c.relname::text)\n"
         "      FROM pg_class c JOIN pg_class r ON r.relnamespace = c.relnamespace\n"
         "      WHERE r.oid = runs AND c.relname IN (" +
         Names(prefix) +
         ")\n"
         "      UNION\n"
         "      SELECT i.inhrelid, t.place FROM pg_inherits i JOIN t ON i.inhparent = t.oid)\n"
         "    SELECT c.oid::regclass AS name, c.relrowsecurity FROM t JOIN pg_class c ON c.oid = t.oid\n"
         "    WHERE c.relkind IN ('r', 'p') ORDER BY t.place\n"
         "  LOOP\n"
         "    IF NOT item.relrowsecurity THEN\n"
         "      EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', item.name);\n"
         "      EXECUTE format('DROP POLICY IF EXISTS " +
         std::string(kGrantedPolicy) +
         " ON %s', item.name);\n"
         "      EXECUTE format('CREATE POLICY " +
         std::string(kGrantedPolicy) +
         " ON %s USING (current_user <> ALL (%L::name[]))', item.name, hidden_from);\n"
         "    END IF;\n"
         "    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, %s', item.name, closed);\n"
         "  END LOOP;\n"
         "  FOR item IN\n"
         "    SELECT s.oid::regclass AS name FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'\n"
         "    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_class r ON r.relnamespace = t.relnamespace\n"
         "    WHERE r.oid = runs AND t.relname IN (" +
         Names(prefix) +
         ")\n"
         "      AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass\n"
         "  LOOP\n"
         "    EXECUTE format('REVOKE ALL ON SEQUENCE %s FROM PUBLIC, %s', item.name, closed);\n"
         "  END LOOP;\n"
         "  FOR item IN\n"
         "    SELECT v.oid::regclass AS name FROM pg_class v JOIN pg_class r ON r.relnamespace = v.relnamespace\n"
         "    WHERE r.oid = runs AND v.relkind = 'v' AND pg_has_role(v.relowner, 'USAGE') AND v.relname IN (" +
         ViewNames(prefix) +
         ")\n"
         "  LOOP\n"
         "    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, %s', item.name, closed);\n"
         "  END LOOP;\n"
         "END $$";
}

std::string GuardBlock(std::string_view prefix, std::string_view scope) {
  return "DO $$\nDECLARE\n"
         "  users_path pg_catalog.text := pg_catalog.current_setting('search_path');\n"
         "  schemas pg_catalog.name[] := pg_catalog.current_schemas(false);\n"
         "  runs pg_catalog.regclass := pg_catalog.to_regclass(" +
         RunsTable(prefix, scope) +
         ");\n"
         "  home pg_catalog.oid;\n"
         "  foreign_code pg_catalog.text;\n"
         "BEGIN\n" +
         std::string(kStrictPath) +
         "  SELECT coalesce((SELECT relnamespace FROM pg_class WHERE oid = runs), (SELECT oid FROM pg_namespace\n"
         "    WHERE nspname = " +
         (scope.empty() ? std::string("schemas[1]")
                        : "(parse_ident(" + Literal(std::string(scope) + "\"x\"") + "))[1]") +
         ")) INTO home;\n"
         "  WITH RECURSIVE place AS (\n"
         "    SELECT d.datdba, n.nspowner FROM pg_database d, pg_namespace n\n"
         "    WHERE d.datname = current_database() AND n.oid = home),\n" +
         std::string(kTrustTables) +
         ",\n"
         "  objects (name, owner) AS (\n"
         "    SELECT format('%s %s', CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END, c.oid::regclass), "
         "c.relowner\n"
         "    FROM pg_class c WHERE c.relnamespace = home AND c.relname IN (" +
         Names(prefix) + ", " + ViewNames(prefix) +
         ")\n"
         "    UNION ALL\n"
         "    SELECT format('function of the trigger %I on %s', g.tgname, c.oid::regclass), f.proowner\n"
         "    FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_proc f ON f.oid = g.tgfoid\n"
         "    WHERE NOT g.tgisinternal AND c.relnamespace = home AND c.relname IN (" +
         Names(prefix) +
         ")\n"
         "    UNION ALL\n"
         "    SELECT format('function %s', f.oid::regprocedure), f.proowner FROM pg_proc f\n"
         "    WHERE f.pronamespace = home AND " +
         IsRestFunction("f", prefix) +
         "\n"
         "    UNION ALL\n"
         "    SELECT format('function %s', f.oid::regprocedure), f.proowner\n"
         "    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace\n"
         "    WHERE n.nspname = ANY (schemas) AND EXISTS (SELECT FROM pg_proc k\n"
         "      WHERE k.pronamespace = 'pg_catalog'::regnamespace AND k.proname = f.proname)\n"
         "    UNION ALL\n"
         "    SELECT format('operator %s', o.oid::regoperator), o.oprowner\n"
         "    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace\n"
         "    WHERE n.nspname = ANY (schemas))\n"
         "  SELECT string_agg(format('the %s, which belongs to the role %I', o.name, r.rolname), ', ') INTO "
         "foreign_code\n"
         "  FROM objects o JOIN pg_roles r ON r.oid = o.owner, me, place WHERE NOT " +
         IsTrusted("o.owner") +
         ";\n"
         "  PERFORM set_config('search_path', users_path, true);\n"
         "  IF foreign_code IS NOT NULL THEN\n"
         "    RAISE EXCEPTION 'code of another role could run with the rights of %: %', current_user, foreign_code\n"
         "      USING HINT = 'Drop it, give it to a role that you trust, or use another schema or prefix.';\n"
         "  END IF;\n"
         "END $$";
}

std::string InScope(std::string_view migration, std::string_view scope) {
  constexpr std::string_view kTable = "\"{prefix}";
  std::string text;
  for (;;) {
    const size_t at = migration.find(kTable);
    text += migration.substr(0, at);
    if (at == migration.npos) return text;
    text += at > 0 && migration[at - 1] == '\'' ? ReplaceAll(scope, "'", "''") : std::string(scope);
    text += kTable;
    migration.remove_prefix(at + kTable.size());
  }
}

}  // namespace flaky
