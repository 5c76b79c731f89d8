// SPDX-License-Identifier: MIT
#include "stores/turso/hrana_answer.h"

#include <simdjson.h>

#include "stores/turso/hrana_json.h"

namespace flaky::turso {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

HranaResult ResultOf(element answer, HranaTexts& texts) {
  HranaResult result;
  const std::string_view type = answer["type"];
  if (type == "error") {
    result.error = HranaErrorOf(answer["error"]);
    return result;
  }
  const object executed = answer["response"]["result"];
  result.width = array(executed["cols"]).size();
  const array rows = executed["rows"];
  result.values.reserve(rows.size() * result.width);
  for (const element row : rows) AppendRow(row, result.width, result.values, texts);
  return result;
}

}  // namespace

HranaAnswer ParseReading(std::string body, size_t statements) {
  return Guarded([&] {
    struct Held {
      simdjson::dom::parser parser;
      HranaTexts blobs;
    };
    const auto held = std::make_shared<Held>();
    const element root = ParseInPlace(held->parser, body);
    const array results = root["results"];
    const size_t first = statements > 1 ? 1 : 0;  // after BEGIN
    HranaAnswer answer;
    answer.texts = held;
    size_t index = 0;
    for (const element result : results) {
      const size_t at = index++;
      if (at < first) {
        // Without a snapshot, the other results are useless.
        if (HranaResult begun = ResultOf(result, held->blobs); begun.error) {
          answer.results.assign(statements, begun);
          return answer;
        }
      } else if (at < first + statements) {
        answer.results.push_back(ResultOf(result, held->blobs));
      }
    }
    if (answer.results.size() != statements) throw MalformedAnswer();
    return answer;
  });
}

HranaOutcome ParseTransaction(std::string body, size_t checks, size_t statements) {
  return Guarded([&] {
    simdjson::dom::parser parser;
    const element root = ParseInPlace(parser, body);
    const element first = array(root["results"]).at(0);
    HranaOutcome outcome;
    if (std::string_view(first["type"]) == "error") {
      outcome.error = HranaErrorOf(first["error"]);
      return outcome;
    }
    const element batch = first["response"]["result"];
    const size_t begin = checks;
    const size_t commit = begin + statements + 1;
    const element committed = array(batch["step_results"]).at(commit);
    outcome.committed = committed.is_object();
    if (outcome.committed) return outcome;
    if (!committed.is_null()) throw MalformedAnswer();
    size_t step = 0;
    for (const element error : array(batch["step_errors"])) {
      if (!error.is_null()) {
        outcome.check_failed = step < checks;
        outcome.failed = step > begin ? step - begin - 1 : 0;
        outcome.error = HranaErrorOf(error);
        return outcome;
      }
      ++step;
    }
    throw MalformedAnswer();
  });
}

}  // namespace flaky::turso
