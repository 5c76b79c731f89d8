// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "tests/stores/postgres_support.h"
#include "tests/support/record_builder.h"
#include "tests/support/wait_for.h"

// A hot standby, which only reads and may lack the newest runs.
namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(PostgresStandby, IsReadAndNamedAndNeverWritten) {
  const PostgresServer primary;
  const RunRecord first = BuildRecord("first").Part("p", 0).Build(), second = BuildRecord("second").Build();
  OpenUri(primary.Uri(), OpenMode::kWrite)->Write({&first, 1});
  const auto standby = PostgresServer::StandbyOf(primary);
  standby->CatchUpWith(primary);

  EXPECT_THAT(OpenUri(primary.Uri(), OpenMode::kRead)->warnings(), IsEmpty());
  const auto reader = OpenUri(standby->Uri(), OpenMode::kRead);
  EXPECT_THAT(ReadAll(*reader), SizeIs(1));
  EXPECT_THAT(reader->warnings(),
              ElementsAre(HasSubstr("this server is a standby, so the newest runs may be missing")));
  for (const OpenMode mode : {OpenMode::kWrite, OpenMode::kBulk}) {
    const auto error = ErrorOf([&] { OpenUri(standby->Uri(), mode); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kMissing);
    EXPECT_EQ(error->vendor_code(), "25006");
    EXPECT_THAT(error->what(), AllOf(HasSubstr("this server is a standby, which only reads: name the primary"),
                                     HasSubstr("target_session_attrs=read-write")));
  }
  // Without our tables, too.
  EXPECT_THAT(ErrorOf([&] { OpenUri(standby->Uri("template1"), OpenMode::kWrite); })->what(),
              HasSubstr("this server is a standby"));

  // Both servers, in the order in which the standby comes first.
  const std::string both = "postgres://postgres@127.0.0.1:" + std::to_string(standby->port()) +
                           ",127.0.0.1:" + std::to_string(primary.port()) + "/postgres?target_session_attrs=read-write";
  OpenUri(both, OpenMode::kWrite)->Write({&second, 1});
  standby->CatchUpWith(primary);
  EXPECT_THAT(ReadAll(*OpenUri(standby->Uri(), OpenMode::kRead)), SizeIs(2));
  EXPECT_THAT(OpenUri(standby->Uri(), OpenMode::kRead)->warnings(),
              ElementsAre(HasSubstr("the last change of the primary that it has is of 20")));

  standby->Promote();
  const RunRecord third = BuildRecord("third").Build();
  OpenUri(standby->Uri(), OpenMode::kWrite)->Write({&third, 1});
  EXPECT_THAT(ReadAll(*OpenUri(standby->Uri(), OpenMode::kRead)), SizeIs(3));
  EXPECT_THAT(OpenUri(standby->Uri(), OpenMode::kRead)->warnings(), IsEmpty());
}

using PostgresReadOnly = PostgresTest;

TEST_F(PostgresReadOnly, ARoleThatOnlyReadsIsNotCalledAStandby) {
  Open(OpenMode::kWrite);
  MakeRole("only_reads", "LOGIN SUPERUSER");
  Run("ALTER ROLE only_reads SET default_transaction_read_only = on");
  EXPECT_THAT(OpenUri(UriOf("only_reads"), OpenMode::kRead)->warnings(), IsEmpty());
  const auto error = ErrorOf([&] { OpenUri(UriOf("only_reads"), OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kMissing);
  EXPECT_THAT(error->what(), HasSubstr("this session only reads: see default_transaction_read_only"));
}

// A database that becomes read-only while a store is open, which then connects again.
TEST_F(PostgresReadOnly, ALaterRefusalIsOfTheSameKind) {
  const auto store = Open(OpenMode::kWrite);
  Run("ALTER DATABASE " + uri_.substr(uri_.rfind('/') + 1) + " SET default_transaction_read_only = on");
  Run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
      "pg_backend_pid()");
  const RunRecord record = BuildRecord("run").Build();
  std::optional<StoreError> error;
  WaitFor("the refusal", [&] {
    error = ErrorOf([&] { store->Write({&record, 1}); });
    return error && error->kind() == ErrorKind::kMissing;
  });
  EXPECT_EQ(error->vendor_code(), "25006");
  EXPECT_THAT(error->what(), HasSubstr("this session only reads"));
}

}  // namespace
}  // namespace flaky
