// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <string>

#include "tests/servers/sqld_server.h"
#include "tests/stores/turso_support.h"
#include "tests/support/record_builder.h"
#include "tests/support/wait_for.h"

// A replica of sqld, which passes writes on to its primary.
namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(TursoReplica, ADifferentRunOfTheSameIdIsAConflict) {
  const std::string grpc = "127.0.0.1:" + std::to_string(FreePort());
  const SqldServer primary({.auth = false, .flags = {"--grpc-listen-addr", grpc}});
  const SqldServer replica({.auth = false, .flags = {"--primary-grpc-url", "http://" + grpc}});
  const RunRecord first = BuildRecord("run").Project("one").Ended(At(5)).Build();
  OpenAt(primary, OpenMode::kWrite)->Write({&first, 1});
  WaitFor("the replica", [&] { return OpenAt(replica, OpenMode::kRead)->Count({}).runs == 1; });

  const auto store = OpenAt(replica, OpenMode::kWrite);
  const std::vector<RunRecord> more = {BuildRecord("new").Build(),
                                       BuildRecord("run").Project("two").Ended(At(9)).Build()};
  const std::vector<WriteResult> results = store->Write(more);
  EXPECT_EQ(results[0].outcome, WriteResult::Outcome::kInserted);
  EXPECT_EQ(results[1].outcome, WriteResult::Outcome::kConflict);
  EXPECT_EQ(OpenAt(primary, OpenMode::kRead)->Count({}).runs, 2);
}

// Its reads may be stale.
TEST(TursoReplica, IsNamedWhenItIsRead) {
  const std::string grpc = "127.0.0.1:" + std::to_string(FreePort());
  SqldServer primary({.auth = false, .flags = {"--grpc-listen-addr", grpc}});
  const SqldServer replica({.auth = false, .flags = {"--primary-grpc-url", "http://" + grpc}});
  const RunRecord record = BuildRecord("run").Build();
  OpenAt(primary, OpenMode::kWrite)->Write({&record, 1});
  WaitFor("the replica", [&] { return OpenAt(replica, OpenMode::kRead)->Count({}).runs == 1; });

  EXPECT_THAT(OpenAt(primary, OpenMode::kRead)->warnings(), IsEmpty());
  const auto is_named = ElementsAre(HasSubstr("this server is a replica, so the newest runs may be missing"));
  EXPECT_THAT(OpenAt(replica, OpenMode::kRead)->warnings(), is_named);
  primary.Kill();
  const auto reader = OpenAt(replica, OpenMode::kRead);
  EXPECT_EQ(reader->Count({}).runs, 1);
  EXPECT_THAT(reader->warnings(), is_named);
}

// Its whole database is not asked for.
TEST(TursoReplica, ALargePrimaryIsNotTakenForOne) {
  const SqldServer primary;
  std::vector<RunRecord> records;
  for (int i = 0; i < 50; ++i) {
    records.push_back(
        BuildRecord("run" + std::to_string(i)).Part("p", 0, 1).Fail("S.T", std::string(4096, 'x')).Build());
  }
  OpenAt(primary, OpenMode::kWrite)->Write(records);
  EXPECT_THAT(OpenAt(primary, OpenMode::kRead)->warnings(), IsEmpty());
}

}  // namespace
}  // namespace flaky
