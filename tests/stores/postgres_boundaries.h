// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_STORES_POSTGRES_BOUNDARIES_H_
#define FLAKY_TESTS_STORES_POSTGRES_BOUNDARIES_H_

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

#include "stores/open.h"
#include "tests/stores/postgres_support.h"
#include "tests/support/record_builder.h"

namespace flaky {

inline const std::vector<std::string> kTables = {"flaky_test_runs",    "flaky_test_failures", "flaky_test_parts",
                                                 "flaky_test_rosters", "flaky_test_claims",   "flaky_test_schema"};

inline RunRecord OneRun(const std::string& run_id = "run") {
  return BuildRecord(run_id).Part("p", 0, 1).Fail("S.T").Build();
}

// Roles of a server, next to the one that has the history.
class PostgresBoundaries : public PostgresTest {
 protected:
  // As in a Supabase project, in which new tables are granted to everybody.
  void MakePublicRoles() const {
    MakeRole("anon", "NOLOGIN");
    MakeRole("authenticated", "NOLOGIN");
    for (const char* kind : {"TABLES", "SEQUENCES", "FUNCTIONS"}) {
      Run(std::string("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON ") + kind + " TO anon, authenticated");
    }
  }
  // The tables as an earlier version left them in such a project.
  void MakeOpenTables() const {
    MakePublicRoles();
    const RunRecord record = OneRun();
    Open(OpenMode::kWrite)->Write({&record, 1});
    for (const std::string& table : kTables) {
      Run("ALTER TABLE " + table + " DISABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS flaky_granted ON " + table +
          "; GRANT ALL ON " + table + " TO anon, authenticated");
    }
    Run("GRANT ALL ON SEQUENCE flaky_test_failures_id_seq TO anon, authenticated, PUBLIC; GRANT SELECT ON "
        "flaky_test_runs TO PUBLIC; GRANT UPDATE (project) ON flaky_test_runs TO anon");
  }
  // Returns the rights that public roles have, and the tables without row-level security.
  std::vector<std::string> Openings() const {
    return Query(
        "SELECT r.rolname || ': ' || p.name || ' on ' || c.relname FROM pg_roles r, pg_class c, unnest('{SELECT,INSERT,"
        "UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p (name) WHERE r.rolname IN ('anon', 'authenticated') "
        "AND c.relname LIKE 'flaky_test_%' AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(r.oid, c.oid, p.name) "
        "UNION ALL SELECT r.rolname || ': a column of ' || c.relname FROM pg_roles r, pg_class c WHERE r.rolname IN "
        "('anon', 'authenticated') AND c.relname LIKE 'flaky_test_%' AND c.relkind = 'r' AND "
        "has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') "
        "UNION ALL SELECT r.rolname || ': the numbers' FROM pg_roles r WHERE r.rolname IN ('anon', 'authenticated') "
        "AND "
        "has_sequence_privilege(r.oid, 'flaky_test_failures_id_seq', 'USAGE, SELECT, UPDATE') "
        "UNION ALL SELECT 'no row-level security: ' || relname FROM pg_class WHERE relname LIKE 'flaky_test_%' AND "
        "relkind = 'r' AND NOT relrowsecurity");
  }
  // A role with the rights that docs/stores/postgres.md names for recording.
  std::string Writer(const std::string& role) const {
    MakeRole(role, "LOGIN NOBYPASSRLS");
    Run("GRANT SELECT, INSERT, UPDATE, DELETE ON flaky_test_runs, flaky_test_parts, flaky_test_failures, "
        "flaky_test_rosters, flaky_test_claims TO " +
        role + "; GRANT SELECT ON flaky_test_schema TO " + role +
        "; GRANT USAGE ON SEQUENCE flaky_test_failures_id_seq TO " + role);
    return UriOf(role);
  }
  std::string Reader(const std::string& role) const {
    MakeRole(role, "LOGIN NOBYPASSRLS");
    Run("GRANT SELECT ON flaky_test_runs, flaky_test_parts, flaky_test_failures, flaky_test_rosters, "
        "flaky_test_schema TO " +
        role);
    return UriOf(role);
  }
  // A role that may make tables and functions in the schema, as every role may up to PostgreSQL 14.
  std::string Maker(const std::string& role) const {
    MakeRole(role, "LOGIN NOBYPASSRLS NOSUPERUSER");
    Run("GRANT ALL ON SCHEMA public TO " + role);
    return UriOf(role);
  }
  // Expects that opening is refused with a text that has all of these.
  static void ExpectRefused(const std::string& uri, OpenMode mode, const std::vector<std::string>& told) {
    const auto error = ErrorOf([&] { OpenUri(uri, mode); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kAuth) << error->what();
    for (const std::string& text : told) EXPECT_THAT(error->what(), testing::HasSubstr(text));
  }
  // Writes and reads with every verb.
  static void UseAll(const std::string& uri, const std::string& name) {
    const auto store = OpenUri(uri, OpenMode::kWrite);
    const RunRecord half = OneRun(name);
    const RunRecord whole = BuildRecord(name).Part("p", 0, 1).Fail("S.T").Part("q", 5, 1).Fail("S.U").Build();
    EXPECT_EQ(store->Write({&half, 1})[0].outcome, WriteResult::Outcome::kInserted);
    EXPECT_EQ(store->Write({&whole, 1})[0].outcome, WriteResult::Outcome::kCompleted);
    store->Write({&half, 1}, OnExisting::kReplace);
    EXPECT_EQ(store->Claim("me", std::chrono::seconds(9), "").holder, "me");
    EXPECT_EQ(store->Claim("me", std::chrono::seconds(0), "").holder, "");
    EXPECT_EQ(store->Fetch({&name, 1}).size(), 1u);
    EXPECT_THAT(store->FindRuns(name, 9), testing::ElementsAre(name));
    EXPECT_THAT(ReadAll(*OpenUri(uri, OpenMode::kRead)), testing::Not(testing::IsEmpty()));
    RunFilter since;
    since.since = At(-1);
    EXPECT_GT(store->Count(since).failures, 0);
    int failures = 0;
    FailureFilter filter;
    filter.texts = true;
    store->VisitFailures(filter, [&](const FailureView&) { ++failures; });
    EXPECT_GT(failures, 0);
  }
};

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_POSTGRES_BOUNDARIES_H_
