// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <cstdlib>
#include <thread>

#include "stores/open.h"
#include "tests/servers/pgbouncer.h"
#include "tests/stores/postgres_support.h"
#include "tests/support/record_builder.h"

// Connecting, and the errors when it fails.
namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class PostgresConnect : public PostgresTest {
 protected:
  ~PostgresConnect() override {
    for (const std::string& name : set_) unsetenv(name.c_str());
  }
  // Sets an environment variable until the test ends.
  void Set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }
  std::string Port() const { return std::to_string(server_.port()); }
  std::string Database() const { return uri_.substr(uri_.rfind('/') + 1); }
  // Returns the error of opening, which must not contain the password.
  std::optional<StoreError> Refusal(const std::string& location, const std::string& password = "") const {
    const auto error = ErrorOf([&] { postgres::Open(ParseLocation(location), OpenMode::kWrite); });
    if (error && !password.empty()) {
      EXPECT_THAT(error->what(), Not(HasSubstr(password)));
    }
    return error;
  }

 private:
  std::vector<std::string> set_;
};

TEST_F(PostgresConnect, EveryFormOfLocationMeansTheSame) {
  const RunRecord record = BuildRecord("run").Part("p", 0).Build();
  Open(OpenMode::kWrite)->Write({&record, 1});
  const std::string settings = "host=127.0.0.1 port=" + Port() + " user='postgres' dbname = " + Database();
  for (const std::string& location :
       {uri_, "postgres:" + uri_, "postgresql" + uri_.substr(uri_.find(':')), "postgres:" + settings,
        uri_ + "?sslmode=disable&application_name=mine&prefix=flaky_test_"}) {
    EXPECT_THAT(ReadAll(*postgres::Open(ParseLocation(location), OpenMode::kRead)), SizeIs(1)) << location;
  }
  const auto socket = "postgres:host=" + server_.folder().string() + " port=" + Port() +
                      " user=postgres application_name='it\\'s mine' dbname=" + Database();
  EXPECT_THAT(ReadAll(*postgres::Open(ParseLocation(socket), OpenMode::kRead)), SizeIs(1));
}

TEST_F(PostgresConnect, VariablesApplyIfTheLocationSaysNothing) {
  Set("PGHOST", "127.0.0.1");
  Set("PGPORT", Port());
  Set("PGUSER", "postgres");
  Set("PGDATABASE", Database());
  const RunRecord record = BuildRecord("run").Build();
  postgres::Open(ParseLocation("postgres:"), OpenMode::kWrite)->Write({&record, 1});
  EXPECT_THAT(Query("SELECT run_id FROM flaky_test_runs"), testing::ElementsAre("run"));

  Set("PGDATABASE", "no_such_database");
  EXPECT_THAT(ReadAll(*Open(OpenMode::kRead)), SizeIs(1)) << "the location overrides the variables";
  const auto error = Refusal("postgres:");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kMissing);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("no_such_database"), HasSubstr("PG* variables")));
}

TEST_F(PostgresConnect, SetsApplicationNameUnlessTheLocationDoes) {
  const std::string who =
      "SELECT application_name FROM pg_stat_activity WHERE datname = '" + Database() + "' AND application_name <> ''";
  const auto store = Open(OpenMode::kWrite);
  EXPECT_THAT(Query(who), testing::ElementsAre("flaky"));
  Set("PGAPPNAME", "nightly");
  const auto other = Open(OpenMode::kRead);
  EXPECT_THAT(Query(who), testing::Contains("nightly"));
}

TEST_F(PostgresConnect, PasswordsOpenAndAreNeverShown) {
  MakeRole("guarded", "LOGIN PASSWORD 'se/cr@t \\'''");
  Run("GRANT with_password TO guarded; GRANT ALL ON SCHEMA public TO guarded");
  const std::string password = "se/cr@t \\'";
  EXPECT_TRUE(OpenUri(UriOf("guarded", password), OpenMode::kWrite)->schema().pending.empty());
  for (const std::string& wrong : {std::string("wr0ng-one"), password + "x"}) {
    const auto error = Refusal(UriOf("guarded", wrong), wrong);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kAuth);
    EXPECT_THAT(error->what(), AllOf(HasSubstr("password authentication failed"), HasSubstr("guarded")));
  }
  const auto none = Refusal(UriOf("guarded"));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->kind(), ErrorKind::kAuth);
  EXPECT_THAT(none->what(), HasSubstr("no password supplied"));
  Set("PGPASSWORD", password);
  EXPECT_TRUE(OpenUri(UriOf("guarded"), OpenMode::kWrite)->schema().pending.empty());
}

TEST_F(PostgresConnect, ErrorsNameWhatIsMissing) {
  struct Case {
    std::string location;
    ErrorKind kind;
    std::string text;
  };
  MakeRole("no_login", "NOLOGIN");
  const std::string host = "postgres:user=postgres connect_timeout=2 ";
  for (const Case& each : {Case{server_.Uri("no_such_database"), ErrorKind::kMissing, "no_such_database"},
                           Case{server_.Uri("postgres", "no_such_role"), ErrorKind::kAuth, "no_such_role"},
                           Case{server_.Uri("postgres", "no_login"), ErrorKind::kAuth, "no_login"},
                           Case{PostgresUri(1, "postgres", "postgres"), ErrorKind::kTransient, "refused"},
                           Case{host + "host=no-such-host.invalid", ErrorKind::kTransient, "no-such-host.invalid"},
                           Case{host + "host=/no/such/folder", ErrorKind::kTransient, "/no/such/folder"},
                           Case{uri_ + "?sslmode=require", ErrorKind::kInvalid, "SSL"},
                           Case{uri_ + "?sslmode=sometimes", ErrorKind::kInvalid, "sslmode"},
                           Case{uri_ + "?options=-cnonsense%3D1", ErrorKind::kInvalid, "nonsense"}}) {
    const auto error = Refusal(each.location);
    ASSERT_TRUE(error) << each.location;
    EXPECT_EQ(error->kind(), each.kind) << error->what();
    EXPECT_THAT(error->what(), AllOf(HasSubstr(each.text), Not(HasSubstr("\n"))));
  }
}

TEST_F(PostgresConnect, InvalidLocationsAreRefusedWithoutTheirPasswords) {
  for (const std::string& location :
       {std::string("postgres://me:hush@word@127.0.0.1/db"), std::string("postgres://me:12/hush@127.0.0.1/db"),
        std::string("postgres://me:x%zzhush@127.0.0.1/db"), std::string("postgres://me@127.0.0.1/db?hush=1"),
        std::string("postgres:host=127.0.0.1 password=a hush"), std::string("postgres:password=a hush=b"),
        std::string("postgres:password='hush")}) {
    const auto error = Refusal(location, "hush");
    ASSERT_TRUE(error) << location;
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid) << error->what();
    EXPECT_THAT(error->what(), HasSubstr("Connection Strings"));
  }
}

TEST_F(PostgresConnect, ADatabaseOfAnotherEncodingIsReadButNotWritten) {
  Run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  const std::string uri = server_.Uri("latin");
  const auto error = ErrorOf([&] { OpenUri(uri, OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("LATIN1"), HasSubstr("ENCODING 'UTF8'")));
  PostgresServer::Execute(
      uri,
      "CREATE TABLE flaky_test_runs (run_id TEXT PRIMARY KEY, started_at TIMESTAMPTZ NOT NULL, ended_at TIMESTAMPTZ, "
      "duration_ms INTEGER, status TEXT, total_tests INTEGER, failed_tests INTEGER, git_sha TEXT, git_dirty BOOLEAN);"
      "CREATE TABLE flaky_test_failures (id SERIAL, run_id TEXT, test_file TEXT, test_name TEXT, failure_kind TEXT, "
      "error_message TEXT, error_stack TEXT, duration_ms INTEGER, failed_at TIMESTAMPTZ);"
      "INSERT INTO flaky_test_runs (run_id, started_at, git_sha) VALUES ('r', now(), chr(228))");
  EXPECT_EQ(ReadAll(*OpenUri(uri, OpenMode::kRead)).at(0).run.git_sha, "ä");
  server_.DropDatabase(uri);
}

class PostgresRoles : public PostgresTest {
 protected:
  // A role that may use the schema, and `rights` on tables and sequences.
  std::string Role(const std::string& name, const std::string& rights) {
    MakeRole(name, "LOGIN");
    Run("GRANT USAGE ON SCHEMA public TO " + name);
    if (!rights.empty()) Run("GRANT " + rights + " ON ALL TABLES IN SCHEMA public TO " + name);
    return UriOf(name);
  }
};

TEST_F(PostgresRoles, AReaderOnlyNeedsSelect) {
  const RunRecord record = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Build();
  Open(OpenMode::kWrite)->Write({&record, 1});
  const std::string uri = Role("reader", "SELECT");
  const auto store = OpenUri(uri, OpenMode::kRead);
  EXPECT_EQ(DigestOf(ReadAll(*store).at(0)), DigestOf(record));
  EXPECT_EQ(store->Count({}), (Totals{1, 1, 1}));
  const RunRecord other = BuildRecord("other").Build();
  const auto error = ErrorOf([&] { OpenUri(uri, OpenMode::kWrite)->Write({&other, 1}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kAuth);
  EXPECT_EQ(error->vendor_code(), "42501");
  EXPECT_THAT(error->what(), HasSubstr("permission denied for table"));
}

// Exactly the rights that docs/stores/postgres.md names.
TEST_F(PostgresRoles, AWriterNeedsNoRightToMakeTables) {
  Run(SchemaScript("postgres", kDefaultPrefix));  // as an administrator does
  const std::string uri = Role("writer", "");
  Run("GRANT SELECT, INSERT, UPDATE, DELETE ON flaky_test_runs, flaky_test_parts, flaky_test_failures, "
      "flaky_test_rosters, flaky_test_claims TO writer; GRANT SELECT ON flaky_test_schema TO writer; GRANT USAGE ON "
      "SEQUENCE "
      "flaky_test_failures_id_seq TO writer");
  const auto store = OpenUri(uri, OpenMode::kWrite);
  const RunRecord half = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Build();
  const RunRecord whole = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Part("q", 5, 1).Fail("S.U").Build();
  EXPECT_EQ(store->Write({&half, 1})[0].outcome, WriteResult::Outcome::kInserted);
  EXPECT_EQ(store->Write({&whole, 1})[0].outcome, WriteResult::Outcome::kCompleted);
  EXPECT_EQ(DigestOf(ReadAll(*store).at(0)), DigestOf(whole));
  const auto bulk = OpenUri(uri, OpenMode::kBulk);
  bulk->Write({&whole, 1});
  EXPECT_EQ(bulk->Claim("copy", std::chrono::seconds(9), "").holder, "copy");
  bulk->Finish();
}

TEST_F(PostgresRoles, WithoutTheRightToMakeTablesTheErrorSaysWhatToDo) {
  const std::string uri = Role("guest", "");
  for (const bool half_there : {false, true}) {
    if (half_there) {
      Open(OpenMode::kWrite);
      Run("DELETE FROM flaky_test_schema WHERE version > 1; GRANT ALL ON ALL TABLES IN SCHEMA public TO guest");
    }
    const auto error = ErrorOf([&] { OpenUri(uri, OpenMode::kWrite); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kAuth);
    EXPECT_THAT(error->what(), AllOf(HasSubstr("'guest' may not create or change tables"),
                                     HasSubstr("flaky schema sql --store postgres"),
                                     HasSubstr(half_there ? "must be owner" : "permission denied for schema")));
  }
}

class PostgresPooled : public PostgresTest {};

TEST_F(PostgresPooled, ThreadsWriteAndReadThroughPgbouncerInTransactionMode) {
  const Pgbouncer pool(server_);
  const std::string uri = pool.Uri(uri_.substr(uri_.rfind('/') + 1));
  constexpr int kThreads = 8;
  constexpr int kRuns = 20;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      const auto store = OpenUri(uri, OpenMode::kWrite);
      const std::string mine = std::to_string(thread);
      for (int run = 0; run < kRuns; ++run) {
        const std::vector<RunRecord> batch = {
            BuildRecord("shared" + std::to_string(run)).Part(mine, thread, 1).Fail("S.T", mine).Build(),
            BuildRecord("own" + mine + "-" + std::to_string(run)).Part("p", 0, 1).Fail("S.U", mine).Build()};
        store->Write(batch);
        EXPECT_EQ(store->FindRuns("own" + mine, 99).size(), static_cast<size_t>(run + 1));
      }
    });
  }
  threads.clear();  // joins them
  const auto store = OpenUri(uri, OpenMode::kRead);
  constexpr int64_t kParts = 2 * kThreads * kRuns;
  EXPECT_EQ(store->Count({}), (Totals{kRuns + kThreads * kRuns, kParts, kParts}));
  EXPECT_EQ(SumOf(ReadAll(*store)), SumOf(ReadAll(*Open(OpenMode::kRead)))) << "with and without the pool";
  int64_t failures = 0;
  store->VisitFailures({}, [&](const FailureView&) { ++failures; });
  EXPECT_EQ(failures, kParts);
}

}  // namespace
}  // namespace flaky
