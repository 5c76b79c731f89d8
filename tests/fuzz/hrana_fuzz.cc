// SPDX-License-Identifier: MIT
#include <string>

#include "stores/turso/connection.h"
#include "stores/turso/hrana_answer.h"
#include "stores/turso/reader.h"
#include "stores/turso/schema.h"
#include "tests/fuzz/server_store.h"

namespace flaky::fuzz {
namespace {

void RequireWhole(const turso::HranaAnswer& answer, size_t statements) {
  Require(answer.results.size() == statements, "each statement has a result");
  for (const turso::HranaResult& result : answer.results) {
    Require(result.width == 0 ? result.values.empty() : result.values.size() % result.width == 0, "rows are whole");
  }
}

// An answer to two statements that read, whatever they select.
void CheckReading(std::string_view input) {
  try {
    RequireWhole(turso::ParseReading(std::string(input), 2), 2);
  } catch (const turso::MalformedAnswer&) {
  }
}

// What the reader does not ask for: a transaction that writes, and the schema.
void AskConnection(turso::Connection& connection, char question) {
  const std::vector<turso::HranaStatement> statements = {turso::HranaStatement("UPDATE a"),
                                                         turso::HranaStatement("UPDATE b")};
  if (question == 's') turso::ReadSchemaState(connection);
  if (question == 'o') turso::ReadOurTables(connection);
  if (question == 't') {
    const turso::HranaOutcome outcome = connection.Transact({}, statements, "write");
    if (!outcome.committed) connection.Throw(outcome.error, "write");
  }
}

}  // namespace

// The answers of a libSQL server.
void CheckInput(std::string_view input) {
  if (input.starts_with('p')) return CheckReading(input.substr(1));
  Location location = ParseLocation("libsql://fuzz.example");
  location.token = Secret(kToken);
  turso::Connection connection(location, {});
  turso::Reader reader(connection, true);
  WithAnswers(input, [&](char question) {
    AskConnection(connection, question);
    Ask(reader, question);
  });
}

}  // namespace flaky::fuzz
