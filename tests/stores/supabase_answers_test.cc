// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "stores/location.h"
#include "stores/sql/ledger.h"
#include "stores/supabase/connection.h"
#include "stores/supabase/reader.h"
#include "stores/supabase/schema.h"
#include "stores/supabase/writer.h"
#include "tests/stores/canned_server.h"
#include "tests/stores/json_nulls.h"
#include "tests/stores/peak_memory.h"
#include "tests/stores/scripted_server.h"
#include "tests/support/record_builder.h"

// Answers of a project that are not those of the functions: null in place of any value, and answers without end.
namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Call = std::function<void(supabase::Connection&)>;

Location LocationOf(const std::string& url) {
  Location location = ParseLocation("supabase:" + url);
  location.token = Secret("sb_secret_x");
  return location;
}

bool IsMalformed(const std::string& answer, const Call& call) {
  CannedServer server({CannedServer::Answer("200 OK", answer)});
  supabase::Connection connection(LocationOf(server.url()), {});
  try {
    call(connection);
  } catch (const StoreError& error) {
    if (error.kind() != ErrorKind::kTransient) return false;
    EXPECT_THAT(error.what(), HasSubstr("is not that of a Supabase project's REST interface"));
    return true;
  }
  return false;
}

// Returns the places at which null does not make the answer malformed.
std::set<std::string> HarmlessNulls(const std::string& answer, const Call& call) {
  EXPECT_FALSE(IsMalformed(answer, call)) << answer;
  std::set<std::string> harmless;
  for (const auto& [place, text] : WithNulls(answer)) {
    if (!IsMalformed(text, call)) harmless.insert(place);
  }
  return harmless;
}

constexpr char kTime[] = R"("2026-01-02T00:00:00+00:00")";

// Returns an array of these texts, and of "1" up to `size`.
std::string Row(std::vector<std::string> cells, size_t size) {
  while (cells.size() < size) cells.emplace_back(R"("1")");
  std::string row;
  for (const std::string& cell : cells) row += (row.empty() ? "[" : ",") + cell;
  return row + "]";
}

constexpr size_t kColumnsOfRun = 18;
constexpr size_t kColumnsOfPart = 15;
constexpr size_t kColumnsOfFailure = 15;

std::string PageWith(const std::string& run, const std::string& part, const std::string& failure) {
  return R"({"done":"1","more":false,"records":[{"run":)" + run + R"(,"parts":[)" + part + R"(],"failures":[)" +
         failure + R"(]}],"states":["state"],"rosters":[["id","tests"]]})";
}

const std::string& RunRow() {
  static const std::string row = Row({R"("r")", R"("p")", kTime, kTime}, kColumnsOfRun);
  return row;
}
const std::string& PartRow() {
  static const std::string row = Row({R"("r")", R"("part")", kTime, kTime}, kColumnsOfPart);
  return row;
}
const std::string& FailureRow() {
  static const std::string row =
      Row({R"("7")", R"("r")", R"("file")", R"("S.T")", R"("assertion")", R"("m")", R"("s")", R"("1")", kTime},
          kColumnsOfFailure);
  return row;
}

const Call kRead = [](supabase::Connection& connection) {
  const Page page = supabase::Reader(connection).Read({});
  ASSERT_EQ(page.records.size(), 1u);
  EXPECT_EQ(page.records[0].run.run_id, "r");
};

TEST(SupabaseNulls, InAPageAreMalformedOrCellsThatMayBeNull) {
  std::set<std::string> expected = {"/rosters", "/records/0/parts", "/records/0/failures"};
  const auto add = [&](const std::string& row, size_t first, size_t size) {
    for (size_t i = first; i < size; ++i) expected.insert("/records/0/" + row + "/" + std::to_string(i));
  };
  add("run", 1, kColumnsOfRun);
  add("parts/0", 1, kColumnsOfPart);
  add("failures/0", 2, kColumnsOfFailure);
  EXPECT_EQ(HarmlessNulls(PageWith(RunRow(), PartRow(), FailureRow()), kRead), expected);
}

// Rows without the columns that are never NULL. Of later columns, an older function does not know.
TEST(SupabaseRows, ThatAreTooShortAreMalformed) {
  const auto cut = [](const std::string& row, size_t size) {
    const auto whole = nlohmann::json::parse(row);
    return nlohmann::json(std::vector<nlohmann::json>(whole.begin(), whole.begin() + static_cast<long>(size))).dump();
  };
  for (size_t size = 0; size <= kColumnsOfRun; ++size) {
    EXPECT_EQ(IsMalformed(PageWith(cut(RunRow(), size), PartRow(), FailureRow()), kRead), size < 3) << size;
  }
  for (size_t size = 0; size <= kColumnsOfPart; ++size) {
    EXPECT_EQ(IsMalformed(PageWith(RunRow(), cut(PartRow(), size), FailureRow()), kRead), size < 3) << size;
  }
  for (size_t size = 0; size <= kColumnsOfFailure; ++size) {
    EXPECT_EQ(IsMalformed(PageWith(RunRow(), PartRow(), cut(FailureRow(), size)), kRead), size < 9) << size;
  }
}

TEST(SupabaseNulls, InOtherAnswersAreMalformed) {
  EXPECT_THAT(HarmlessNulls(R"(["1","2","3"])",
                            [](supabase::Connection& connection) {
                              EXPECT_EQ(supabase::Reader(connection).Count({}), (Totals{1, 2, 3}));
                            }),
              IsEmpty());
  EXPECT_THAT(HarmlessNulls(R"(["r1","r2"])",
                            [](supabase::Connection& connection) { supabase::Reader(connection).FindRuns("r", 2); }),
              IsEmpty());
  const auto claim = [](supabase::Connection& connection) {
    supabase::Reader reader(connection);
    supabase::Writer(connection, reader).Claim("me", std::chrono::seconds(5), "");
  };
  EXPECT_THAT(HarmlessNulls(R"(["me","5"])", claim), IsEmpty());
  EXPECT_TRUE(IsMalformed(R"(["me"])", claim));
  EXPECT_THAT(HarmlessNulls(R"(["r"])",
                            [](supabase::Connection& connection) {
                              supabase::Reader reader(connection);
                              const RunRecord record = BuildRecord("r").Build();
                              supabase::Writer(connection, reader).Write({&record, 1}, OnExisting::kMerge);
                            }),
              IsEmpty());
  // An empty table is null.
  const auto ledger = [](std::span<const Migration> migrations) {
    const Migration& first = migrations.front();
    return R"([[")" + std::to_string(first.version) + R"(",")" + std::string(first.name) + R"(",")" + Checksum(first) +
           R"("]])";
  };
  EXPECT_THAT(HarmlessNulls(R"({"tables":)" + ledger(PostgresMigrations()) + R"(,"functions":)" +
                                ledger(SupabaseMigrations()) + "}",
                            [](supabase::Connection& connection) { supabase::ReadSchemaState(connection); }),
              ElementsAre("/functions", "/tables"));
}

TEST(SupabaseNulls, InFailuresAreMalformedOrCellsThatMayBeNull) {
  const std::string row =
      Row({R"("r")", R"("7")", R"("file")", R"("S.T")", R"("assertion")", R"("m")", R"("s")", kTime, kTime}, 10);
  const Call visit = [&](supabase::Connection& connection) {
    int failures = 0;
    // The second answer is the same, so the visitor ends the walk.
    struct Enough {};
    try {
      supabase::Reader(connection).VisitFailures({}, [&](const FailureView&) {
        if (++failures == 2) throw Enough();
      });
    } catch (const Enough&) {
    }
  };
  std::set<std::string> expected;
  for (size_t i = 2; i < 10; ++i) expected.insert("/0/" + std::to_string(i));
  EXPECT_EQ(HarmlessNulls("[" + row + "]", visit), expected);
}

TEST(SupabaseCounts, OfOtherTypesAreMalformed) {
  const auto count = [](supabase::Connection& connection) { supabase::Reader(connection).Count({}); };
  for (const char* answer : {R"(["1","2"])", R"(["1","2","x"])", R"(["1","2",3])", R"(["1","2",""])", "[]", "{}", "7",
                             R"(["1","2","99999999999999999999"])"}) {
    EXPECT_TRUE(IsMalformed(answer, count)) << answer;
  }
  for (const char* done : {"x", "-1", "", "1.5"}) {
    std::string page = PageWith(RunRow(), PartRow(), FailureRow());
    page.replace(page.find(R"("1")"), 3, "\"" + std::string(done) + "\"");
    EXPECT_TRUE(IsMalformed(page, kRead)) << done;
  }
}

TEST(SupabaseAnswers, WithoutEndAreEnded) {
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  ScriptedServer server(ScriptedServer::Repeat(head + "[\"", std::string(64 << 10, 'x')));
  supabase::Connection connection(LocationOf(server.url()), {});
  const size_t memory = PeakMemoryOf([&] {
    try {
      supabase::Reader(connection).Count({});
      ADD_FAILURE() << "no error";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kPermanent);
      EXPECT_THAT(error.what(), HasSubstr("longer than 16777216 bytes"));
    }
  });
  if (kMemoryIsMeasured) {
    EXPECT_LT(memory, 48u << 20);
  }
}

TEST(SupabaseAnswers, OfVeryManyValuesAreRefusedBeforeTheyAreParsed) {
  CannedServer server({CannedServer::Answer("200 OK", "[" + std::string(5 << 20, ',') + "]")});
  supabase::Connection connection(LocationOf(server.url()), {});
  try {
    supabase::Reader(connection).Count({});
    FAIL() << "no error";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kPermanent);
    EXPECT_THAT(error.what(), HasSubstr("more than 4194304 values"));
  }
}

}  // namespace
}  // namespace flaky
