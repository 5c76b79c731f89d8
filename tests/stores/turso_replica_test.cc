// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>

#include "tests/servers/sqld_server.h"
#include "tests/stores/turso_support.h"
#include "tests/support/record_builder.h"
#include "tests/support/wait_for.h"

// A replica of sqld, which passes writes on to its primary.
namespace flaky {
namespace {

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

}  // namespace
}  // namespace flaky
