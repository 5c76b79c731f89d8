// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <optional>
#include <set>

#include "stores/location.h"
#include "stores/turso/base64.h"
#include "stores/turso/connection.h"
#include "stores/turso/hrana_answer.h"
#include "stores/turso/turso_store.h"
#include "tests/stores/canned_server.h"
#include "tests/stores/json_nulls.h"

// Answers of a libSQL server that are not as the protocol says: null in place of any value, and numbers of columns and
// rows that a query does not have.
namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Returns the places at which null does not make the answer malformed.
std::set<std::string> HarmlessNulls(const std::string& answer, const std::function<void(const std::string&)>& parse) {
  std::set<std::string> harmless;
  for (const auto& [place, text] : WithNulls(answer)) {
    try {
      parse(text);
      harmless.insert(place);
    } catch (const turso::MalformedAnswer&) {
    }
  }
  return harmless;
}

constexpr char kReading[] =
    R"({"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"execute","result":{)"
    R"("cols":[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"}],"affected_row_count":0,"rows":[[)"
    R"({"type":"integer","value":"7"},{"type":"text","value":"x"},{"type":"float","value":1.5},)"
    R"({"type":"blob","base64":"AAE"}]]}}},{"type":"ok","response":{"type":"close"}}]})";

TEST(TursoNulls, InAReadingAreMalformed) {
  const turso::HranaAnswer answer = turso::ParseReading(kReading, 1);
  ASSERT_EQ(answer.results.size(), 1u);
  ASSERT_EQ(answer.results[0].rows(), 1u);
  EXPECT_EQ(answer.results[0].row(0)[0].integer, 7);
  EXPECT_EQ(answer.results[0].row(0)[1].text, "x");
  EXPECT_EQ(answer.results[0].row(0)[2].real, 1.5);
  EXPECT_EQ(answer.results[0].row(0)[3].text, std::string("\0\1", 2));

  const std::string result = "/results/0/response/result/";
  EXPECT_THAT(
      HarmlessNulls(kReading, [](const std::string& text) { turso::ParseReading(text, 1); }),
      testing::UnorderedElementsAre(
          // Not read.
          "/results/0/response/type", result + "affected_row_count", result + "cols/0", result + "cols/0/name",
          result + "cols/1", result + "cols/1/name", result + "cols/2", result + "cols/2/name", result + "cols/3",
          result + "cols/3/name", "/results/1", "/results/1/type", "/results/1/response", "/results/1/response/type",
          // How the server writes an infinite number.
          result + "rows/0/2/value"));
}

TEST(TursoNulls, InATransactionAreMalformed) {
  const std::string committed =
      R"({"results":[{"type":"ok","response":{"type":"batch","result":{"step_results":[{"rows":[]},{"rows":[]},)"
      R"({"rows":[]},null],"step_errors":[null,null,null,null]}}}]})";
  EXPECT_TRUE(turso::ParseTransaction(committed, 0, 1).committed);
  const std::string result = "/results/0/response/result/";
  EXPECT_THAT(HarmlessNulls(committed, [](const std::string& text) { turso::ParseTransaction(text, 0, 1); }),
              testing::UnorderedElementsAre("/results/0/response/type", result + "step_results/0",
                                            result + "step_results/0/rows", result + "step_results/1",
                                            result + "step_results/1/rows", result + "step_results/2/rows",
                                            result + "step_errors"));

  const std::string failed =
      R"({"results":[{"type":"ok","response":{"type":"batch","result":{"step_results":[{"rows":[]},null,null,{}],)"
      R"("step_errors":[null,{"message":"no","code":"C"},null,null]}}}]})";
  const turso::HranaOutcome outcome = turso::ParseTransaction(failed, 0, 1);
  EXPECT_FALSE(outcome.committed);
  EXPECT_EQ(outcome.error.message, "no");
  EXPECT_THAT(HarmlessNulls(failed, [](const std::string& text) { turso::ParseTransaction(text, 0, 1); }),
              testing::UnorderedElementsAre("/results/0/response/type", result + "step_results/0",
                                            result + "step_results/0/rows", result + "step_results/3",
                                            result + "step_errors/1/code"));
}

TEST(TursoNulls, InAnErrorAreMalformed) {
  const std::string error = R"({"results":[{"type":"error","error":{"message":"no","code":"C"}}]})";
  EXPECT_THAT(HarmlessNulls(error, [](const std::string& text) { turso::ParseReading(text, 1); }),
              ElementsAre("/results/0/error/code"));
  EXPECT_THAT(HarmlessNulls(error, [](const std::string& text) { turso::ParseTransaction(text, 0, 1); }),
              ElementsAre("/results/0/error/code"));
}

TEST(TursoBlobs, OfAnotherAlphabetAreMalformed) {
  EXPECT_EQ(turso::FromBase64("AAE"), std::string("\0\1", 2));
  EXPECT_EQ(turso::FromBase64("AAE="), std::string("\0\1", 2));
  EXPECT_EQ(turso::FromBase64(""), "");
  for (const char* text : {"A*E", "AA-_", "AAE===", "A=AE", "AAE\n"}) {
    EXPECT_EQ(turso::FromBase64(text), std::nullopt) << text;
  }
}

// Returns an answer to one statement, of `columns` columns and `rows` rows of this value.
std::string AnswerOf(size_t columns, size_t rows, const std::string& value) {
  std::string cols, row, all;
  for (size_t i = 0; i < columns; ++i) {
    cols += (i == 0 ? "" : ",") + std::string(R"({"name":"c"})");
    row += (i == 0 ? "" : ",") + value;
  }
  for (size_t i = 0; i < rows; ++i) all += (i == 0 ? "[" : ",[") + row + "]";
  return CannedServer::Answer("200 OK", R"({"results":[{"type":"ok","response":{"result":{"cols":[)" + cols +
                                            R"(],"rows":[)" + all + R"(]}}},{"type":"ok"}]})");
}

std::optional<StoreError> ErrorOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const StoreError& error) {
    return error;
  }
  return std::nullopt;
}

void ExpectMalformed(const std::string& answer, const std::function<void(turso::Connection&)>& call) {
  CannedServer server({answer});
  turso::Connection connection(ParseLocation(server.url()), {});
  const auto error = ErrorOf([&] { call(connection); });
  ASSERT_TRUE(error) << answer;
  EXPECT_EQ(error->kind(), ErrorKind::kTransient) << error->what();
  EXPECT_THAT(error->what(), HasSubstr("is not that of a libSQL server"));
}

TEST(TursoRows, OfAnotherWidthOrNumberAreMalformed) {
  const std::string one = R"({"type":"integer","value":"1"})";
  const auto read = [](turso::Connection& connection) {
    connection.ReadOne(turso::HranaStatement("SELECT 1, 2").Selects(2), "test");
  };
  for (const size_t columns : {0, 1, 3}) ExpectMalformed(AnswerOf(columns, 1, one), read);
  for (const size_t rows : {0, 2}) ExpectMalformed(AnswerOf(2, rows, one), read);
  CannedServer server({AnswerOf(2, 1, one)});
  turso::Connection connection(ParseLocation(server.url()), {});
  read(connection);
}

// The first query of a store is for its ledger; a count has three numbers.
TEST(TursoRows, OfTheLedgerAreChecked) {
  for (const std::string& answer : {AnswerOf(1, 1, R"({"type":"text","value":"x"})"), AnswerOf(3, 1, "null"),
                                    AnswerOf(3, 1, "7"), AnswerOf(0, 0, "")}) {
    CannedServer server({answer});
    for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
      const auto error = ErrorOf([&] { turso::Open(ParseLocation(server.url()), mode); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->kind(), ErrorKind::kTransient) << error->what();
    }
  }
}

TEST(TursoRows, ALongAnswerIsAnError) {
  const std::string text = R"({"type":"text","value":")" + std::string(17 << 20, 'x') + "\"}";
  CannedServer server({AnswerOf(1, 1, text)});
  turso::Connection connection(ParseLocation(server.url()), {});
  const turso::HranaStatement query = turso::HranaStatement("SELECT 1").Selects(1);
  EXPECT_TRUE(turso::IsTooLarge(connection.TryRead({&query, 1}, "test").results.at(0).error.value()));
  const auto error = ErrorOf([&] { connection.Read(query, "test"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kPermanent);

  CannedServer dense({CannedServer::Answer("200 OK", "[" + std::string(3 << 20, ',') + "]")});
  turso::Connection other(ParseLocation(dense.url()), {});
  EXPECT_TRUE(turso::IsTooLarge(other.TryRead({&query, 1}, "test").results.at(0).error.value()));
}

}  // namespace
}  // namespace flaky
