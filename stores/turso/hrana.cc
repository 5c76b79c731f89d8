#include "stores/turso/hrana.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <deque>
#include <utility>

#include "history/text.h"

namespace flaky {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view kExecute = R"({"type":"execute","stmt":)";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kClose = R"({"type":"close"}]})";

void AppendNumber(std::string& out, int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// The steps of a batch, each only if the one before it succeeded.
class Steps {
 public:
  explicit Steps(std::string& out) : out_(out) {}

  void Add(const HranaStatement& statement) {
    out_ += count_ == 0 ? R"({"stmt":)" : R"(,{"stmt":)";
    statement.AppendTo(out_);
    if (count_ > 0) {
      out_ += R"(,"condition":)";
      AppendLastSucceeded();
    }
    out_ += '}';
    ++count_;
  }
  void Add(std::span<const HranaStatement> statements) {
    for (const HranaStatement& statement : statements) Add(statement);
  }
  // As the last: what is to be done unless the one before it succeeded.
  void AddElse(const HranaStatement& statement) {
    out_ += R"(,{"stmt":)";
    statement.AppendTo(out_);
    out_ += R"(,"condition":{"type":"not","cond":)";
    AppendLastSucceeded();
    out_ += "}}";
  }

 private:
  void AppendLastSucceeded() {
    out_ += R"({"type":"ok","step":)";
    AppendNumber(out_, static_cast<int64_t>(count_ - 1));
    out_ += '}';
  }

  std::string& out_;
  size_t count_ = 0;
};

std::string Reserved(std::span<const HranaStatement> statements) {
  std::string body;
  size_t size = 1024;
  for (const HranaStatement& statement : statements) size += statement.size() + 64;
  body.reserve(size);
  return body;
}

using Texts = std::deque<std::string>;

std::string Decoded(std::string_view base64) {
  std::string bytes;
  bytes.reserve(base64.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : base64) {
    const size_t digit = kBase64.find(c);
    if (digit == kBase64.npos) break;  // the padding
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

// The bytes of blobs are put into `texts`.
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
    value.text = texts.emplace_back(Decoded(parts["base64"]));
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

// Parses in place: the text gets the room behind it that the parser wants.
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

// The lines of a cursor's answer, which are read one by one.
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

  // Where a step has neither ended nor failed, the server has broken off, which HTTP does not show.
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

HranaStatement::HranaStatement(std::string_view sql) : json_(R"({"sql":)") { AppendJson(json_, sql); }

void HranaStatement::Separate() {
  json_ += has_values_ ? "," : R"(,"args":[)";
  has_values_ = true;
}

HranaStatement& HranaStatement::Text(std::string_view value) {
  Separate();
  json_ += R"({"type":"text","value":)";
  AppendJson(json_, value);
  json_ += '}';
  return *this;
}

HranaStatement& HranaStatement::Integer(int64_t value) {
  Separate();
  json_ += R"({"type":"integer","value":")";
  AppendNumber(json_, value);
  json_ += R"("})";
  return *this;
}

HranaStatement& HranaStatement::Null() {
  Separate();
  json_ += R"({"type":"null"})";
  return *this;
}

HranaStatement& HranaStatement::Blob(std::string_view bytes) {
  std::string base64;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view three = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0u);
    for (size_t k = 0; k <= three.size(); ++k) base64 += kBase64[bits >> (18 - 6 * k) & 63];
  }
  Separate();
  json_ += R"({"type":"blob","base64":)";
  AppendJson(json_, base64);
  json_ += '}';
  return *this;
}

HranaStatement& HranaStatement::Value(const HranaValue& value) {
  switch (value.type) {
    case HranaValue::Type::kNull:
      return Null();
    case HranaValue::Type::kInteger:
      return Integer(value.integer);
    case HranaValue::Type::kFloat: {
      char digits[32];
      Separate();
      json_ += R"({"type":"float","value":)";
      json_.append(digits, std::to_chars(digits, digits + sizeof digits, value.real).ptr);
      json_ += '}';
      return *this;
    }
    case HranaValue::Type::kText:
      return Text(value.text);
    case HranaValue::Type::kBlob:
    case HranaValue::Type::kRawText:
      return Blob(value.text);
  }
  return *this;
}

void HranaStatement::AppendTo(std::string& body) const {
  body += json_;
  body += has_values_ ? "]}" : "}";
}

std::string ReadingBody(std::span<const HranaStatement> statements) {
  const bool snapshot = statements.size() > 1;
  std::string body = Reserved(statements);
  body += R"({"requests":[)";
  const auto add = [&](const HranaStatement& statement) {
    body += kExecute;
    statement.AppendTo(body);
    body += "},";
  };
  if (snapshot) add(HranaStatement("BEGIN"));
  for (const HranaStatement& statement : statements) add(statement);
  if (snapshot) add(HranaStatement("COMMIT"));
  body += kClose;
  return body;
}

std::string TransactionBody(std::span<const HranaStatement> checks, std::span<const HranaStatement> statements) {
  std::string body = Reserved(statements);
  body += R"({"requests":[{"type":"batch","batch":{"steps":[)";
  Steps steps(body);
  steps.Add(checks);
  steps.Add(HranaStatement("BEGIN IMMEDIATE"));
  steps.Add(statements);
  steps.Add(HranaStatement("COMMIT"));
  steps.AddElse(HranaStatement("ROLLBACK"));
  body += "]}},";
  body += kClose;
  return body;
}

std::string CursorBody(std::span<const HranaStatement> statements) {
  std::string body = Reserved(statements);
  body += R"({"batch":{"steps":[)";
  Steps steps(body);
  steps.Add(HranaStatement("BEGIN"));
  steps.Add(statements);
  steps.Add(HranaStatement("COMMIT"));
  body += "]}}";
  return body;
}

std::string CloseBody(std::string_view baton) {
  std::string body = R"({"baton":)";
  AppendJson(body, baton);
  body += R"(,"requests":[)";
  body += kClose;
  return body;
}

HranaAnswer ParseReading(std::string body, size_t statements) {
  return Guarded([&] {
    struct Held {
      simdjson::dom::parser parser;
      Texts blobs;
    };
    const auto held = std::make_shared<Held>();
    const element root = Parse(held->parser, body);
    const array results = root["results"];
    const size_t first = statements > 1 ? 1 : 0;  // behind BEGIN
    HranaAnswer answer;
    answer.texts = held;
    size_t index = 0;
    for (const element result : results) {
      const size_t at = index++;
      if (at < first) {
        // Without a snapshot the rest is worth nothing.
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
    // Without BEGIN and COMMIT; where BEGIN failed, that is what happened to all.
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

}  // namespace flaky
