// SPDX-License-Identifier: MIT
#include "stores/turso/hrana_answer.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <new>

#include "stores/turso/base64.h"

namespace flaky::turso {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

using Texts = std::deque<std::string>;

// Returns a cell's value. Puts the bytes of blobs into `texts`.
HranaValue ValueOf(element cell, Texts& texts) {
  HranaValue value;
  const object parts = cell;
  const std::string_view type = parts["type"];
  if (type == "null") return value;
  if (type == "text") {
    value.type = HranaValue::Type::kText;
    value.text = parts["value"];
  } else if (type == "integer") {
    value.type = HranaValue::Type::kInteger;
    const std::string_view digits = parts["value"];
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value.integer);
    if (error != std::errc() || stop != end) throw MalformedAnswer();
  } else if (type == "float") {
    value.type = HranaValue::Type::kFloat;
    if (parts["value"].get(value.real) != simdjson::SUCCESS) value.real = HUGE_VAL;  // JSON has no infinity
  } else if (type == "blob") {
    value.type = HranaValue::Type::kBlob;
    value.text = texts.emplace_back(FromBase64(parts["base64"]));
  } else {
    throw MalformedAnswer();
  }
  return value;
}

void AppendRow(HranaResult& result, array row, Texts& texts) {
  size_t cells = 0;
  for (const element cell : row) {
    result.values.push_back(ValueOf(cell, texts));
    ++cells;
  }
  if (cells != result.width) throw MalformedAnswer();
}

HranaError ErrorOf(element error) {
  HranaError said;
  std::string_view text;
  if (error["message"].get(text) == simdjson::SUCCESS) said.message = text;
  if (error["code"].get(text) == simdjson::SUCCESS) said.code = text;
  return said;
}

// Parses in place: reserves the space after the text that the parser needs.
element Parse(simdjson::dom::parser& parser, std::string& text) {
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  return parser.parse(text.data(), text.size(), false);
}

template <typename Work>
auto Guarded(Work&& work) {
  try {
    return work();
  } catch (const simdjson::simdjson_error& error) {
    if (error.error() == simdjson::MEMALLOC) throw std::bad_alloc();
    throw MalformedAnswer();
  }
}

HranaResult ResultOf(element answer, Texts& texts) {
  HranaResult result;
  const std::string_view type = answer["type"];
  if (type == "error") {
    result.error = ErrorOf(answer["error"]);
    return result;
  }
  const object executed = answer["response"]["result"];
  result.width = array(executed["cols"]).size();
  const array rows = executed["rows"];
  result.values.reserve(rows.size() * result.width);
  for (const element row : rows) AppendRow(result, row, texts);
  return result;
}

// Reads the lines of a cursor's answer, one by one.
class CursorLines {
 public:
  CursorLines(size_t steps, HranaAnswer& answer) : answer_(answer), ended_(steps), texts_(std::make_shared<Texts>()) {
    answer_.results.resize(steps);
    answer_.texts = texts_;
  }

  void Take(std::string line) {
    const element entry = Parse(parser_, line);
    std::string_view type;
    if (entry["type"].get(type) != simdjson::SUCCESS) {
      if (std::string_view baton; entry["baton"].get(baton) == simdjson::SUCCESS) answer_.baton = baton;
    } else if (type == "step_begin") {
      step_ = Step(entry);
      answer_.results[step_].width = array(entry["cols"]).size();
    } else if (type == "row") {
      TakeRow(entry["row"]);
    } else if (type == "step_end") {
      ended_[step_] = true;
    } else if (type == "step_error") {
      step_ = Step(entry);
      answer_.results[step_].error = ErrorOf(entry["error"]);
      ended_[step_] = true;
    } else if (type == "error") {
      answer_.results[step_].error = ErrorOf(entry["error"]);
      ended_[step_] = true;
    }
  }

  // Throws if a step has neither ended nor failed: then the answer is truncated, which HTTP does not show.
  void CheckWhole() const {
    for (size_t step = 0; step < ended_.size(); ++step) {
      if (answer_.results[step].error) return;
      if (!ended_[step]) throw MalformedAnswer();
    }
  }

 private:
  size_t Step(element entry) const {
    const uint64_t step = entry["step"];
    if (step >= ended_.size()) throw MalformedAnswer();
    return step;
  }

  void TakeRow(array row) {
    HranaResult& result = answer_.results[step_];
    const size_t before = result.values.size();
    AppendRow(result, row, *texts_);
    for (size_t i = before; i < result.values.size(); ++i) {
      HranaValue& value = result.values[i];
      if (value.type == HranaValue::Type::kText) value.text = texts_->emplace_back(value.text);
    }
  }

  HranaAnswer& answer_;
  std::vector<bool> ended_;
  std::shared_ptr<Texts> texts_;
  simdjson::dom::parser parser_;
  size_t step_ = 0;
};

}  // namespace

HranaAnswer ParseReading(std::string body, size_t statements) {
  return Guarded([&] {
    struct Held {
      simdjson::dom::parser parser;
      Texts blobs;
    };
    const auto held = std::make_shared<Held>();
    const element root = Parse(held->parser, body);
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

HranaAnswer ParseCursor(std::string_view body, size_t statements) {
  return Guarded([&] {
    HranaAnswer answer;
    CursorLines lines(statements + 2, answer);
    while (!body.empty()) {
      const std::string_view line = body.substr(0, body.find('\n'));
      body.remove_prefix(std::min(line.size() + 1, body.size()));
      if (!line.empty()) lines.Take(std::string(line));
    }
    lines.CheckWhole();
    // Removes the results of BEGIN and COMMIT. If BEGIN failed, all statements failed with its error.
    if (answer.results.front().error) answer.results[1].error = answer.results.front().error;
    answer.results.erase(answer.results.begin());
    answer.results.pop_back();
    return answer;
  });
}

HranaOutcome ParseTransaction(std::string body, size_t checks, size_t statements) {
  return Guarded([&] {
    simdjson::dom::parser parser;
    const element root = Parse(parser, body);
    const element first = array(root["results"]).at(0);
    HranaOutcome outcome;
    if (std::string_view(first["type"]) == "error") {
      outcome.error = ErrorOf(first["error"]);
      return outcome;
    }
    const element batch = first["response"]["result"];
    const size_t begin = checks;
    const size_t commit = begin + statements + 1;
    outcome.committed = !element(array(batch["step_results"]).at(commit)).is_null();
    if (outcome.committed) return outcome;
    size_t step = 0;
    for (const element error : array(batch["step_errors"])) {
      if (!error.is_null()) {
        outcome.check_failed = step < checks;
        outcome.failed = step > begin ? step - begin - 1 : 0;
        outcome.error = ErrorOf(error);
        return outcome;
      }
      ++step;
    }
    throw MalformedAnswer();
  });
}

}  // namespace flaky::turso
