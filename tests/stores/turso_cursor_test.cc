// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "stores/location.h"
#include "stores/turso/connection.h"
#include "stores/turso/hrana_cursor.h"
#include "tests/stores/json_nulls.h"
#include "tests/stores/peak_memory.h"
#include "tests/stores/scripted_server.h"

// Answers row by row: parsed while they arrive, and limited.
namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kHead[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
constexpr char kBaton[] = R"({"baton":null,"base_url":null})"
                          "\n";
constexpr char kBegin[] = R"({"type":"step_begin","step":0,"cols":[]})"
                          "\n"
                          R"({"type":"step_end","affected_row_count":0,"last_insert_rowid":null})"
                          "\n"
                          R"({"type":"step_begin","step":1,"cols":[{"name":"a"}]})"
                          "\n";
constexpr char kRow[] = R"({"type":"row","row":[{"type":"text","value":"x"}]})"
                        "\n";
constexpr char kEnd[] = R"({"type":"step_end"})"
                        "\n"
                        R"({"type":"step_begin","step":2,"cols":[]})"
                        "\n"
                        R"({"type":"step_end"})"
                        "\n"
                        R"({"type":"replication_index","replication_index":1})"
                        "\n";

std::optional<StoreError> ReadFrom(const ScriptedServer& server, const std::function<void(std::string_view)>& take) {
  turso::Connection connection(ParseLocation(server.url()), {});
  const turso::HranaStatement query = turso::HranaStatement("SELECT a").Selects(1);
  try {
    connection.ReadRows({&query, 1}, "read runs", [&](size_t, std::span<turso::HranaValue> row) { take(row[0].text); });
  } catch (const StoreError& error) {
    return error;
  }
  return std::nullopt;
}

TEST(TursoCursor, IsParsedWhileItArrives) {
  std::atomic<int> rows = 0;
  std::atomic<bool> waited_in_vain = false;
  ScriptedServer server([&](const ScriptedServer::Send& send) {
    send(std::string(kHead) + kBaton + kBegin);
    for (int i = 1; i <= 3; ++i) {
      send(kRow);
      for (int tries = 0; rows < i && tries < 1000; ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      if (rows < i) waited_in_vain = true;
    }
    send(kEnd);
  });
  const auto error = ReadFrom(server, [&](std::string_view text) {
    EXPECT_EQ(text, "x");
    ++rows;
  });
  EXPECT_FALSE(error) << error->what();
  EXPECT_EQ(rows, 3);
  EXPECT_FALSE(waited_in_vain);
}

TEST(TursoCursor, WithoutEndIsEndedInLittleMemory) {
  const std::string row = R"({"type":"row","row":[{"type":"text","value":")" + std::string(64 << 10, 'x') + "\"}]}\n";
  ScriptedServer server(ScriptedServer::Repeat(std::string(kHead) + kBaton + kBegin, row));
  size_t bytes = 0;
  const size_t memory = PeakMemoryOf([&] {
    const auto error = ReadFrom(server, [&](std::string_view text) { bytes += text.size(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kPermanent) << error->what();
    EXPECT_THAT(error->what(), HasSubstr("longer than 134217728 bytes"));
  });
  EXPECT_GT(bytes, 100u << 20);
  if (kMemoryIsMeasured) {
    EXPECT_LT(memory, 16u << 20);
  }
}

TEST(TursoCursor, ALineWithoutEndIsMalformed) {
  for (const std::string& rest : {std::string(64 << 10, 'x'), std::string(64 << 10, '[')}) {
    ScriptedServer server(ScriptedServer::Repeat(std::string(kHead) + kBaton + kBegin, rest));
    const size_t memory = PeakMemoryOf([&] {
      const auto error = ReadFrom(server, [](std::string_view) {});
      ASSERT_TRUE(error);
      EXPECT_EQ(error->kind(), ErrorKind::kTransient);
      EXPECT_THAT(error->what(), HasSubstr("is not that of a libSQL server"));
    });
    if (kMemoryIsMeasured) {
      EXPECT_LT(memory, 40u << 20);
    }
  }
}

TEST(TursoCursor, ThatIsCutOffIsAnErrorWhereverItIs) {
  const std::string whole = std::string(kBaton) + kBegin + kRow + kRow + kEnd;
  const size_t needed = whole.find(R"({"type":"replication_index")");
  for (size_t size = 0; size < whole.size(); ++size) {
    turso::HranaCursor cursor({1}, [](size_t, std::span<turso::HranaValue>) {});
    cursor.Take(whole.substr(0, size));
    EXPECT_EQ(cursor.IsWhole(), size >= needed) << size;
  }
  for (const size_t piece : {size_t{1}, size_t{7}, whole.size()}) {
    int rows = 0;
    turso::HranaCursor cursor({1}, [&](size_t statement, std::span<turso::HranaValue> row) {
      EXPECT_EQ(statement, 0u);
      EXPECT_EQ(row[0].text, "x");
      ++rows;
    });
    for (size_t at = 0; at < whole.size(); at += piece) cursor.Take(std::string_view(whole).substr(at, piece));
    EXPECT_TRUE(cursor.IsWhole());
    EXPECT_EQ(rows, 2);
  }
}

TEST(TursoCursor, AnErrorIsTheStatements) {
  const std::string error = R"({"type":"step_error","step":1,"error":{"message":"no","code":"C"}})"
                            "\n";
  for (const std::string& rows : {std::string(), std::string(kRow)}) {
    turso::HranaCursor cursor({1}, [](size_t, std::span<turso::HranaValue>) {});
    cursor.Take(std::string(kBaton) + kBegin + rows + error);
    EXPECT_TRUE(cursor.IsWhole());
    ASSERT_TRUE(cursor.error());
    EXPECT_EQ(cursor.error()->message, "no");
  }
}

// Each line, with null in place of each of its values.
TEST(TursoCursor, NullsAreMalformed) {
  const std::string lines[] = {R"({"baton":"b"})",
                               R"({"type":"step_begin","step":0,"cols":[]})",
                               R"({"type":"step_end","affected_row_count":0})",
                               R"({"type":"step_begin","step":1,"cols":[{"name":"a"}]})",
                               R"({"type":"row","row":[{"type":"text","value":"x"}]})",
                               R"({"type":"step_error","step":1,"error":{"message":"no","code":"C"}})"};
  std::set<std::string> harmless;
  for (size_t changed = 0; changed < std::size(lines); ++changed) {
    for (const auto& [place, text] : WithNulls(lines[changed])) {
      turso::HranaCursor cursor({1}, [](size_t, std::span<turso::HranaValue>) {});
      try {
        for (size_t i = 0; i < std::size(lines); ++i) cursor.Take((i == changed ? text : lines[i]) + "\n");
        harmless.insert(std::to_string(changed) + place);
      } catch (const turso::MalformedAnswer&) {
      }
    }
  }
  EXPECT_THAT(harmless,
              ElementsAre("0/baton", "2/affected_row_count", "3/cols/0", "3/cols/0/name", "5/error/code", "5/step"));
}

TEST(TursoCursor, LinesOutOfOrderAreMalformed) {
  const std::string begin_0 = R"({"type":"step_begin","step":0,"cols":[]})";
  const std::string begin_1 = R"({"type":"step_begin","step":1,"cols":[{"name":"a"}]})";
  const std::string begin_9 = R"({"type":"step_begin","step":9,"cols":[]})";
  const std::string end = R"({"type":"step_end"})";
  const std::string row = R"({"type":"row","row":[{"type":"text","value":"x"}]})";
  const std::string two = R"({"type":"row","row":[{"type":"null"},{"type":"null"}]})";
  using Lines = std::vector<std::string>;
  for (const Lines& lines : {Lines{end}, Lines{row}, Lines{begin_1}, Lines{begin_9}, Lines{begin_0, begin_1},
                             Lines{begin_0, row}, Lines{begin_0, end, row}, Lines{begin_0, end, begin_0},
                             Lines{begin_0, end, begin_1, two}, Lines{begin_0, end, begin_1, end, row},
                             Lines{begin_0, end, R"({"type":"step_begin","step":1,"cols":[]})"}, Lines{"7"}}) {
    turso::HranaCursor cursor({1}, [](size_t, std::span<turso::HranaValue>) {});
    cursor.Take(kBaton);
    EXPECT_THROW(
        {
          for (const std::string& line : lines) cursor.Take(line + "\n");
        },
        turso::MalformedAnswer)
        << testing::PrintToString(lines);
  }
}

}  // namespace
}  // namespace flaky
